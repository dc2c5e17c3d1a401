# 05.4 fail no-endpoints
# The selector that no Pod fits is left.
kubectl patch ingress menu -p '{"spec": {"ingressClassName": "contour"}}'
kubectl patch ingress menu --type=json -p '[
  {"op": "replace", "path": "/spec/rules/0/http/paths/0/backend/service/port/number", "value": 80}]'
kubectl wait --for=condition=Available deployment --all --timeout=120s
