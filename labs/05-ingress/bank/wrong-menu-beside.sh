# 05.4 fail wrong-class
# A second Ingress does the work, and the broken one is left.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl set selector service menu app=menu
kubectl create ingress menu-2 --rule="menu.$namespace.localhost/*=menu:80"
kubectl wait --for=condition=Available deployment --all --timeout=120s
