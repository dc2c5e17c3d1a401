# 05.4 fail wrong-backend
# The Service selects the Pods of the page.
kubectl patch ingress menu -p '{"spec": {"ingressClassName": "contour"}}'
kubectl patch ingress menu --type=json -p '[
  {"op": "replace", "path": "/spec/rules/0/http/paths/0/backend/service/port/number", "value": 80}]'
kubectl set selector service menu app=web
kubectl wait --for=condition=Available deployment --all --timeout=120s
