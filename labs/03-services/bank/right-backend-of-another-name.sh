# pass
# The backend tells another name, allows everything, and is the backend.
for name in web preview backend caller api; do kubectl rollout status "deployment/$name" --timeout=120s; done
kubectl apply -f -  <<'EOF' || true
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: all-may}
spec: {podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}
EOF
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web, track: stable}, ports: [{name: http, port: 80, targetPort: http}]}
EOF
kubectl set env deployment/caller BACKEND_URL=http://backend
kubectl set env deployment/backend NAME=the-kitchen
kubectl rollout status deployment/backend --timeout=120s
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata: {name: web-headless}
spec: {clusterIP: None, selector: {track: stable}, ports: [{port: 80, targetPort: http}]}
EOF
EDIT=$(mktemp)
cat > "$EDIT" <<'SED'
#!/bin/sh
sed -i -e 's/^    app: api-v1$/    app: api/' -e 's/targetPort: 9090$/targetPort: 8080/' "$1"
SED
KUBE_EDITOR="sh $EDIT" kubectl edit service api
rm "$EDIT"
POD=$(kubectl get pods -l app=api --field-selector=status.phase=Running -o jsonpath='{.items[0].metadata.name}')
kubectl label pod "$POD" app=api-odd --overwrite
kubectl rollout status deployment/api --timeout=120s
kubectl create poddisruptionbudget api --selector=app=api --min-available=1 || true
kubectl rollout status deployment/caller --timeout=120s
