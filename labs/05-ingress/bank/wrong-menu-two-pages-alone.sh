# 05.4 fail wrong-path
# Class, port and selector are mended, and Ingress menu takes / and /today exactly: a request for any other page gets 404.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl patch ingress menu --type=json -p '[
  {"op": "replace", "path": "/spec/ingressClassName", "value": "contour"},
  {"op": "replace", "path": "/spec/rules/0/http/paths/0/backend/service/port/number", "value": 80}]'
kubectl patch service menu -p '{"spec": {"selector": {"app": "menu"}}}'
kubectl patch ingress menu --type=json -p '[
  {"op": "replace", "path": "/spec/rules/0/http/paths", "value": [
    {"path": "/", "pathType": "Exact", "backend": {"service": {"name": "menu", "port": {"number": 80}}}},
    {"path": "/today", "pathType": "Exact", "backend": {"service": {"name": "menu", "port": {"number": 80}}}}]}]'
kubectl wait --for=condition=Available deployment --all --timeout=120s
