# 03.1 fail no-selector
# All three addresses, as they are today.
kubectl rollout status deployment/web --timeout=90s
{ cat <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports:
    - {port: 80, targetPort: http}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-by-hand
  labels: {kubernetes.io/service-name: web}
addressType: IPv4
ports: [{port: 8080, protocol: TCP}]
endpoints:
EOF
kubectl get pods -l app=web,track=stable -o jsonpath='{range .items[*]}- addresses: [{.status.podIP}]{"\n"}{end}'
} | kubectl apply -f -
