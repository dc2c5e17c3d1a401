# 03.4 fail extra-endpoints
# Something answers on the port: the page, and not the API.
kubectl patch service api --type=json -p '[
  {"op": "replace", "path": "/spec/selector", "value": {"app": "web", "track": "stable"}},
  {"op": "replace", "path": "/spec/ports/0/targetPort", "value": "http"}]'
