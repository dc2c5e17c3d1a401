# 05.4 fail endpoints-by-hand
# The Service has no selector any more; today's addresses of the Pods are written by hand, and no later Pod is found.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl patch ingress menu --type=json -p '[
  {"op": "replace", "path": "/spec/ingressClassName", "value": "contour"},
  {"op": "replace", "path": "/spec/rules/0/http/paths/0/backend/service/port/number", "value": 80}]'
kubectl patch service menu --type=json -p '[{"op": "remove", "path": "/spec/selector"}]'
kubectl wait --for=condition=Available deployment menu --timeout=120s
one=$(kubectl get pods -l app=menu -o jsonpath='{.items[0].status.podIP}')
two=$(kubectl get pods -l app=menu -o jsonpath='{.items[1].status.podIP}')
kubectl apply -f - <<EOF
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: menu-by-hand
  labels: {kubernetes.io/service-name: menu}
addressType: IPv4
endpoints:
  - addresses: ["$one"]
  - addresses: ["$two"]
ports:
  - {name: http, port: 8080, protocol: TCP}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
