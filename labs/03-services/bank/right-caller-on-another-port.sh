# pass
# The caller itself listens on another port; it finds its backend by name.
kubectl expose deployment web --port=80 --target-port=http
kubectl expose deployment web --name=web-headless --cluster-ip=None --port=8080
kubectl patch service api -p '{"spec": {"selector": {"app": "api"}, "ports": [{"port": 80, "targetPort": "http"}]}}'
kubectl patch deployment caller --type=json -p '[
  {"op": "replace", "path": "/spec/template/spec/containers/0/ports/0/containerPort", "value": 9090},
  {"op": "replace", "path": "/spec/template/spec/containers/0/env", "value": [
    {"name": "NAME", "value": "caller"}, {"name": "PORT", "value": "9090"},
    {"name": "BACKEND_URL", "value": "http://backend"}]}]'
kubectl rollout status deployment/caller --timeout=90s
kubectl rollout status deployment/api --timeout=90s
pod=$(kubectl get pods -l app=api --sort-by=.metadata.creationTimestamp -o jsonpath='{.items[-1:].metadata.name}')
kubectl label pod "$pod" app=api-out --overwrite
