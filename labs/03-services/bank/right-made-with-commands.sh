# pass
# Nothing but commands; the Service of the API is made anew.
kubectl expose deployment web --port=80 --target-port=http
kubectl expose deployment web --name=web-headless --cluster-ip=None --port=8080
kubectl delete service api
kubectl expose deployment api --port=80 --target-port=8080
kubectl set env deployment/caller BACKEND_URL=http://backend
kubectl rollout status deployment/caller --timeout=90s
kubectl rollout status deployment/api --timeout=90s
pod=$(kubectl get pods -l app=api -o jsonpath='{.items[0].metadata.name}')
kubectl label pod "$pod" app=api-debug --overwrite
