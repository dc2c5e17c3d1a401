# pass
# Service backend has a port of its choice on every node, too, and the caller asks its name.
kubectl expose deployment web --port=80 --target-port=http
kubectl expose deployment web --name=web-headless --cluster-ip=None --port=8080
kubectl patch service api -p '{"spec": {"selector": {"app": "api"}, "ports": [{"port": 80, "targetPort": "http"}]}}'
kubectl patch service backend -p '{"spec": {"type": "NodePort"}}'
kubectl set env deployment/caller BACKEND_URL=http://backend
kubectl rollout status deployment/caller --timeout=90s
kubectl rollout status deployment/api --timeout=90s
pod=$(kubectl get pods -l app=api -o jsonpath='{.items[0].metadata.name}')
kubectl label pod "$pod" app=api-out --overwrite
