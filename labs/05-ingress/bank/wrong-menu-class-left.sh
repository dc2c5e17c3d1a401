# 05.4 fail wrong-class
# The class that nobody reads is left.
kubectl patch ingress menu --type=json -p '[
  {"op": "replace", "path": "/spec/rules/0/http/paths/0/backend/service/port/number", "value": 80}]'
kubectl set selector service menu app=menu
kubectl wait --for=condition=Available deployment --all --timeout=120s
