# pass
# Two ports on one NodePort Service, the backend by its whole name, and the API made whole by a patch.
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: NodePort
  selector: {app: web, track: stable}
  ports:
    - {name: http, port: 80, targetPort: http}
    - {name: direct, port: 8080, targetPort: 8080}
---
apiVersion: v1
kind: Service
metadata:
  name: web-headless
spec:
  clusterIP: None
  selector: {track: stable}
EOF
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl patch service api --type=json -p '[
  {"op": "replace", "path": "/spec/selector", "value": {"app": "api"}},
  {"op": "replace", "path": "/spec/ports/0/targetPort", "value": "http"}]'
kubectl set env deployment/caller "BACKEND_URL=http://backend.$namespace.svc.cluster.local:80"
kubectl rollout status deployment/caller --timeout=90s
kubectl rollout status deployment/api --timeout=90s
pod=$(kubectl get pods -l app=api -o jsonpath='{.items[0].metadata.name}')
kubectl label pod "$pod" app-
