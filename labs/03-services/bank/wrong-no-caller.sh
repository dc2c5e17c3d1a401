# 03.2 fail not-ready
kubectl set env deployment/caller BACKEND_URL=http://backend
kubectl scale deployment caller --replicas=0
