# 02.3 fail no-liveness-probe
# The given container only sleeps, and nobody asks whether it is well. A new one before it answers in its place.
kubectl patch deployment broken --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers", "value": [
  {"name": "neighbour", "image": "kubelab/web:1.0",
   "ports": [{"name": "page", "containerPort": 8080}],
   "livenessProbe": {"httpGet": {"path": "/healthz", "port": "page"}, "periodSeconds": 2, "failureThreshold": 3, "timeoutSeconds": 2}},
  {"name": "web", "image": "kubelab/web:1.0", "command": ["sh", "-c", "sleep infinity"]}]}]'
kubectl rollout status deployment broken --timeout=90s
