# 03.2 fail pod-by-hand
# The template keeps the old address; a Pod made by hand is adopted in the place of its own.
for name in web preview backend caller api; do kubectl rollout status "deployment/$name" --timeout=120s; done
HASH=$(kubectl get pods -l app=caller -o jsonpath='{.items[0].metadata.labels.pod-template-hash}')
OLD=$(kubectl get pods -l app=caller -o jsonpath='{.items[0].metadata.name}')
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata:
  name: caller-by-hand
  labels: {app: caller}
  annotations: {controller.kubernetes.io/pod-deletion-cost: "1000"}
spec:
  terminationGracePeriodSeconds: 5
  containers:
    - name: web
      image: kubelab/web:1.0
      env: [{name: NAME, value: caller}, {name: BACKEND_URL, value: "http://backend"}]
      ports: [{name: http, containerPort: 8080}]
      readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 1}
EOF
kubectl wait --for=condition=Ready pod/caller-by-hand --timeout=90s
kubectl label pod caller-by-hand pod-template-hash="$HASH"
kubectl wait --for=delete "pod/$OLD" --timeout=90s
[ "$(kubectl get pods -l "app=caller,pod-template-hash=$HASH" -o jsonpath='{.items[*].metadata.name}')" = caller-by-hand ]
