# 03.3 fail endpoints-by-hand
kubectl rollout status deployment/preview --timeout=90s
{ cat <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web-headless
spec:
  clusterIP: None
  selector: {app: web, track: stable}
  ports:
    - {name: http, port: 80, targetPort: http}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-headless-by-hand
  labels: {kubernetes.io/service-name: web-headless}
addressType: IPv4
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints:
EOF
kubectl get pods -l app=web,track=preview -o jsonpath='{range .items[*]}- addresses: [{.status.podIP}]{"\n"}{end}'
} | kubectl apply -f -
