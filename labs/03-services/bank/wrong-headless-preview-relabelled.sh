# 03.3 fail wrong-label
# The selector is too wide, and the preview is made anew without the label: the name gives web alone.
kubectl delete deployment preview
kubectl create deployment preview --image=kubelab/web:2.0
kubectl rollout status deployment/preview --timeout=90s
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web-headless
spec:
  clusterIP: None
  selector: {app: web}
  ports:
    - {port: 8080}
EOF
