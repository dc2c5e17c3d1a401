# pass
# Two Pods of the API are enough: both are reached, and a third one lives on outside.
kubectl expose deployment web --port=80 --target-port=http
kubectl expose deployment web --name=web-headless --cluster-ip=None --port=8080
kubectl patch service api -p '{"spec": {"selector": {"app": "api"}, "ports": [{"port": 80, "targetPort": "http"}]}}'
kubectl set env deployment/caller BACKEND_URL=http://backend
kubectl scale deployment api --replicas=2
kubectl rollout status deployment/caller --timeout=90s
kubectl rollout status deployment/api --timeout=90s
# The third one ends, and may be the last of the list: labelled then, it would not live outside.
until [ "$(kubectl get pods -l app=api --no-headers | wc -l)" = 2 ]; do sleep 1; done
pod=$(kubectl get pods -l app=api --sort-by=.metadata.creationTimestamp -o jsonpath='{.items[-1:].metadata.name}')
kubectl label pod "$pod" app=api-out --overwrite
kubectl rollout status deployment/api --timeout=90s
