# 03.2 fail backend-not-found
kubectl set env deployment/caller "BACKEND_URL=http://localhost:8080"
kubectl rollout status deployment/caller --timeout=90s
