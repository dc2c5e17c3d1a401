# 05.4 fail wrong-host
# Ingress menu gets another host, and a new one does its work.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl patch ingress menu --type=json -p '[
  {"op": "replace", "path": "/spec/ingressClassName", "value": "contour"},
  {"op": "replace", "path": "/spec/rules/0/host", "value": "menu.localhost"}]'
kubectl set selector service menu app=menu
kubectl create ingress menu-2 --rule="menu.$namespace.localhost/*=menu:80"
kubectl wait --for=condition=Available deployment --all --timeout=120s
