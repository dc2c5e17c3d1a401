# 05.4 fail wrong-target-port
# The Service sends requests to a port where nobody listens.
kubectl patch ingress menu -p '{"spec": {"ingressClassName": "contour"}}'
kubectl set selector service menu app=menu
kubectl patch service menu --type=json -p '[
  {"op": "replace", "path": "/spec/ports/0", "value": {"port": 8080, "targetPort": 9090}}]'
kubectl wait --for=condition=Available deployment --all --timeout=120s
