# 05.4 fail wrong-backend
# The Ingress leads to another Service, which answers.
kubectl patch ingress menu -p '{"spec": {"ingressClassName": "contour"}}'
kubectl patch ingress menu --type=json -p '[
  {"op": "replace", "path": "/spec/rules/0/http/paths/0/backend/service", "value": {"name": "web", "port": {"number": 80}}}]'
kubectl wait --for=condition=Available deployment --all --timeout=120s
