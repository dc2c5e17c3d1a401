# pass
# The Pods of api tell their whole name: a subdomain, and setHostnameAsFQDN.
kubectl expose deployment web --port=80 --target-port=http
kubectl expose deployment web --name=web-headless --cluster-ip=None --port=8080
kubectl patch service api -p '{"spec": {"selector": {"app": "api"}, "ports": [{"port": 80, "targetPort": "http"}]}}'
kubectl patch deployment api -p '{"spec": {"template": {"spec": {"subdomain": "a", "setHostnameAsFQDN": true}}}}'
kubectl set env deployment/caller BACKEND_URL=http://backend
kubectl rollout status deployment/caller --timeout=90s
kubectl rollout status deployment/api --timeout=90s
pod=$(kubectl get pods -l app=api --sort-by=.metadata.creationTimestamp -o jsonpath='{.items[-1:].metadata.name}')
kubectl label pod "$pod" app=api-out --overwrite
