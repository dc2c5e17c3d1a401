# pass
# LoadBalancers whose outside traffic stays on its node, a health check port, dual stack where there is any; inside nothing differs.
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  allocateLoadBalancerNodePorts: false
  ipFamilyPolicy: PreferDualStack
  selector: {app: web, track: stable}
  ports:
    - {name: page, port: 80, targetPort: http, appProtocol: http}
---
apiVersion: v1
kind: Service
metadata:
  name: web-headless
spec:
  clusterIP: None
  ipFamilyPolicy: PreferDualStack
  selector: {app: web, track: stable}
  ports:
    - {name: page, port: 80, targetPort: http, appProtocol: http}
EOF
kubectl patch service api -p '{"spec": {"selector": {"app": "api"}, "ports": [{"port": 80, "targetPort": "http"}]}}'
kubectl patch service backend -p '{"spec": {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}}'
kubectl set env deployment/caller BACKEND_URL=http://backend
kubectl rollout status deployment/caller --timeout=90s
kubectl rollout status deployment/api --timeout=90s
pod=$(kubectl get pods -l app=api --sort-by=.metadata.creationTimestamp -o jsonpath='{.items[-1:].metadata.name}')
kubectl label pod "$pod" app=api-out --overwrite
