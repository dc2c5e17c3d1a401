# 03.5 fail no-selector
# The Service gets two addresses by hand; the third Pod is out.
kubectl rollout status deployment/api --timeout=90s
kubectl delete service api
{ cat <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
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
kubectl get pods -l app=api -o jsonpath='{range .items[:2]}- addresses: [{.status.podIP}]{"\n"}{end}'
} | kubectl apply -f -
