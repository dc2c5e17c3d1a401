# 03.5 fail none-out
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
kubectl scale deployment api --replicas=2
kubectl rollout status deployment/api --timeout=90s
