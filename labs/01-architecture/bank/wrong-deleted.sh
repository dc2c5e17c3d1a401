# 01.2 fail not-found
kubectl delete pod waiting --now
