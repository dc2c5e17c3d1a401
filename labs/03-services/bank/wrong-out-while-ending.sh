# 03.5 fail none-out
# The Pod is deleted, and loses its label while it ends: nothing of it stays.
kubectl patch service api -p '{"spec": {"selector": {"app": "api"}, "ports": [{"port": 80, "targetPort": "http"}]}}'
kubectl patch deployment api -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "env": [{"name": "ON_TERM", "value": "ignore"}]}], "terminationGracePeriodSeconds": 10}}}}'
kubectl rollout status deployment/api --timeout=120s
pod=$(kubectl get pods -l app=api --sort-by=.metadata.creationTimestamp -o jsonpath='{.items[-1:].metadata.name}')
kubectl delete pod "$pod" --wait=false
kubectl label pod "$pod" app=api-out --overwrite
kubectl rollout status deployment/api --timeout=120s
