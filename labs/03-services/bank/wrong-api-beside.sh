# 03.4 fail endpoints-by-hand
kubectl rollout status deployment/api --timeout=90s
{ cat <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  selector: {app: api}
  ports:
    - {name: http, port: 80, targetPort: http}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: api-by-hand
  labels: {kubernetes.io/service-name: api}
addressType: IPv4
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints:
EOF
kubectl get pods -l app=api -o jsonpath='{range .items[*]}- addresses: [{.status.podIP}]{"\n"}{end}'
} | kubectl apply -f -
