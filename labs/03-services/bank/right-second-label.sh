# pass
# The Service of the API selects by two labels; the Pod loses the one that its ReplicaSet ignores.
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {track: stable}
  ports:
    - {port: 80, targetPort: http}
---
apiVersion: v1
kind: Service
metadata:
  name: web-headless
spec:
  clusterIP: None
  selector: {track: stable}
  ports:
    - {port: 8080}
---
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  selector: {app: api, part: shop}
  ports:
    - {name: http, port: 80, targetPort: http}
EOF
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl set env deployment/caller "BACKEND_URL=http://backend.$namespace.svc.cluster.local"
kubectl rollout status deployment/caller --timeout=90s
kubectl rollout status deployment/api --timeout=90s
pod=$(kubectl get pods -l app=api -o jsonpath='{.items[0].metadata.name}')
kubectl label pod "$pod" part=aside --overwrite
