# 03.3 fail no-selector
kubectl rollout status deployment/web --timeout=90s
{ cat <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web-headless
spec:
  clusterIP: None
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
kubectl get pods -l app=web,track=stable -o jsonpath='{range .items[*]}- addresses: [{.status.podIP}]{"\n"}{end}'
} | kubectl apply -f -
