# 03.2 fail fixed-address
address=$(kubectl get service backend -o jsonpath='{.spec.clusterIP}')
kubectl set env deployment/caller "BACKEND_URL=http://$address"
kubectl rollout status deployment/caller --timeout=90s
