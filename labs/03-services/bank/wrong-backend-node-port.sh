# 03.2 fail fixed-address
# The caller asks a node's address and the Service's NodePort; nothing looks a name up.
kubectl rollout status deployment/backend --timeout=90s
kubectl patch service backend -p '{"spec": {"type": "NodePort"}}'
port=$(kubectl get service backend -o jsonpath='{.spec.ports[0].nodePort}')
node=$(kubectl get pods -l app=backend -o jsonpath='{.items[0].status.hostIP}')
kubectl set env deployment/caller "BACKEND_URL=http://$node:$port"
kubectl rollout status deployment/caller --timeout=90s
