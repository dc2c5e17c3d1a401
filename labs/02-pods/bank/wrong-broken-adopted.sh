# 02.3 fail pod-by-hand
# The template is as broken as it was; a Pod made by hand is adopted in the place of its own.
HASH=$(kubectl get pods -l app=broken -o jsonpath='{.items[0].metadata.labels.pod-template-hash}')
OLD=$(kubectl get pods -l app=broken -o jsonpath='{.items[0].metadata.name}')
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata:
  name: broken-by-hand
  labels: {app: broken}
  annotations: {controller.kubernetes.io/pod-deletion-cost: "1000"}
spec:
  containers:
    - name: web
      image: kubelab/web:1.0
      command: [sh, -c]
      args: ["exec python3 /app/app.py"]
      env: [{name: NAME, value: shop}]
      ports: [{name: http, containerPort: 8080}]
      livenessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 2, failureThreshold: 3, timeoutSeconds: 2}
EOF
kubectl wait --for=condition=Ready pod/broken-by-hand --timeout=120s
kubectl label pod broken-by-hand pod-template-hash="$HASH"
kubectl wait --for=delete "pod/$OLD" --timeout=90s
kubectl rollout status deployment/broken --timeout=60s
[ "$(kubectl get deployment broken -o jsonpath='{.status.availableReplicas}')" = 1 ]
