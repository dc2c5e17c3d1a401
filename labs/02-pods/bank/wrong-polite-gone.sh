# 02.4 fail not-found
kubectl delete pod polite
