# 05.4: a class that is read here, the port of the Service, the labels of the Pods.
kubectl patch ingress menu --type=json -p '[
  {"op": "replace", "path": "/spec/ingressClassName", "value": "contour"},
  {"op": "replace", "path": "/spec/rules/0/http/paths/0/backend/service/port/number", "value": 80}]'
kubectl patch service menu -p '{"spec": {"selector": {"app": "menu"}}}'
kubectl wait --for=condition=Available deployment --all --timeout=120s
