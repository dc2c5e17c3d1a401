# 03.1 fail wrong-label
# The preview is moved out of the way of a selector that is too wide.
kubectl delete deployment preview
kubectl create deployment preview --image=kubelab/web:2.0
kubectl rollout status deployment/preview --timeout=90s
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports:
    - {port: 80, targetPort: http}
EOF
