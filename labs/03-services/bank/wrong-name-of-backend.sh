# 03.2 fail backend-not-found
kubectl set env deployment/caller "BACKEND_URL=http://back-end"
kubectl rollout status deployment/caller --timeout=90s
