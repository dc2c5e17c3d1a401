# 03.5 fail no-endpoints
kubectl rollout status deployment/api --timeout=90s
pod=$(kubectl get pods -l app=api -o jsonpath='{.items[0].metadata.name}')
kubectl label pod "$pod" app=api-out --overwrite
