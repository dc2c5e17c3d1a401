# 03.5 fail none-out
# A Pod made for it, which never belonged to the API.
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  selector: {app: api}
  ports:
    - {name: http, port: 80, targetPort: http}
EOF
kubectl rollout status deployment/api --timeout=90s
kubectl run api-out --image=kubelab/web:1.0 --labels=app=api-out
kubectl wait --for=condition=Ready pod/api-out --timeout=60s
