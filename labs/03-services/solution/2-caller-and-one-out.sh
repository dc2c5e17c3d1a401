# 03.2: the caller asks a name. 03.5: one Pod loses the label that its Service selects.
kubectl set env deployment/caller BACKEND_URL=http://backend
kubectl rollout status deployment/caller --timeout=150s
kubectl rollout status deployment/api --timeout=150s
pod=$(kubectl get pods -l app=api -o jsonpath='{.items[0].metadata.name}')
kubectl label pod "$pod" app=api-out --overwrite
