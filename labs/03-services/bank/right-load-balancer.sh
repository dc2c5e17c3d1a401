# pass
# A LoadBalancer, which waits for its address outside; the Pod leaves without any label of its set.
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: LoadBalancer
  selector: {app: web, track: stable}
  ports:
    - {port: 80, targetPort: http}
---
apiVersion: v1
kind: Service
metadata:
  name: web-headless
spec:
  clusterIP: None
  type: ClusterIP
  selector: {app: web, track: stable}
  ports:
    - {port: 80, targetPort: http}
EOF
kubectl patch service api -p '{"spec": {"selector": {"app": "api"}, "ports": [{"port": 80, "targetPort": 8080}]}}'
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl set env deployment/caller "BACKEND_URL=http://backend.$namespace"
kubectl rollout status deployment/caller --timeout=90s
kubectl rollout status deployment/api --timeout=90s
pod=$(kubectl get pods -l app=api -o jsonpath='{.items[0].metadata.name}')
kubectl label pod "$pod" app-
