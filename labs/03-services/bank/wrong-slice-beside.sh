# 03.1 fail endpoints-by-hand
# A good Service, and a slice by hand that adds the preview.
kubectl rollout status deployment/preview --timeout=90s
{ cat <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web, track: stable}
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
kubectl get pods -l app=web,track=preview -o jsonpath='{range .items[*]}- addresses: [{.status.podIP}]{"\n"}{end}'
} | kubectl apply -f -
