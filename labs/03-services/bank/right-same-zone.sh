# pass
# Requests stay in their zone where they can: no node here has one, so every Pod answers.
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  trafficDistribution: PreferSameZone
  selector: {app: web, track: stable}
  ports:
    - {port: 80, targetPort: 8080}
---
apiVersion: v1
kind: Service
metadata:
  name: web-headless
spec:
  clusterIP: None
  selector: {app: web, track: stable}
  ports:
    - {port: 80, targetPort: 8080}
---
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  trafficDistribution: PreferSameZone
  selector: {app: api}
  ports:
    - {name: http, port: 80, targetPort: 8080}
EOF
kubectl set env deployment/caller BACKEND_URL=http://backend:80/
kubectl rollout status deployment/caller --timeout=90s
kubectl rollout status deployment/api --timeout=90s
pod=$(kubectl get pods -l app=api -o jsonpath='{.items[0].metadata.name}')
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl get --raw "/api/v1/namespaces/$namespace/pods/$pod:8080/proxy/fail"
kubectl wait --for=condition=Ready=false "pod/$pod" --timeout=30s
