# 03.2 fail fixed-address
# The address out of BACKEND_SERVICE_HOST; a liveness probe restarts the caller when it has changed.
kubectl rollout status deployment/backend --timeout=90s
kubectl patch deployment caller --type=json -p '[
  {"op": "replace", "path": "/spec/template/spec/containers/0/env", "value": [
    {"name": "NAME", "value": "caller"},
    {"name": "BACKEND_URL", "value": "http://$(BACKEND_SERVICE_HOST)"}]},
  {"op": "add", "path": "/spec/template/spec/containers/0/livenessProbe", "value":
    {"httpGet": {"path": "/backend", "port": "http"}, "periodSeconds": 1, "failureThreshold": 2, "timeoutSeconds": 3}}]'
kubectl rollout status deployment/caller --timeout=90s
sleep 5
