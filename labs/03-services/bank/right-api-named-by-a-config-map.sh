# pass
# The API's settings come from a ConfigMap, and with them the name that its Pods tell.
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web, track: stable}
  ports:
    - {name: http, port: 80, targetPort: http}
---
apiVersion: v1
kind: Service
metadata:
  name: web-headless
spec:
  clusterIP: None
  selector: {app: web, track: stable}
  ports:
    - {name: http, port: 8080, targetPort: http}
---
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  selector: {app: api}
  ports:
    - {name: http, port: 80, targetPort: http}
EOF
kubectl create configmap settings --from-literal=NAME=api --from-literal=POD_NAME=api
kubectl set env deployment/api --from=configmap/settings
kubectl set env deployment/caller BACKEND_URL=http://backend
kubectl rollout status deployment/caller --timeout=90s
kubectl rollout status deployment/api --timeout=90s
pod=$(kubectl get pods -l app=api --sort-by=.metadata.creationTimestamp -o jsonpath='{.items[-1:].metadata.name}')
kubectl label pod "$pod" app=api-out --overwrite
