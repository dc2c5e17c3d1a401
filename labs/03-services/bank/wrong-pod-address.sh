# 03.2 fail fixed-address
kubectl rollout status deployment/backend --timeout=90s
address=$(kubectl get pods -l app=backend -o jsonpath='{.items[0].status.podIP}')
kubectl set env deployment/caller "BACKEND_URL=http://$address:8080"
kubectl rollout status deployment/caller --timeout=90s
