# 05.4 fail wrong-backend
# All three faults are mended; one more path of Ingress menu, /drinks, leads to web.
kubectl patch ingress menu --type=json -p '[
  {"op": "replace", "path": "/spec/ingressClassName", "value": "contour"},
  {"op": "replace", "path": "/spec/rules/0/http/paths/0/backend/service/port/number", "value": 80}]'
kubectl patch service menu -p '{"spec": {"selector": {"app": "menu"}}}'
kubectl patch ingress menu --type=json -p '[
  {"op": "add", "path": "/spec/rules/0/http/paths/-", "value": {"path": "/drinks", "pathType": "Prefix",
    "backend": {"service": {"name": "web", "port": {"number": 80}}}}}]'
kubectl wait --for=condition=Available deployment --all --timeout=120s
