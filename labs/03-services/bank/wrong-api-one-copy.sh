# 03.4 fail wrong-replicas
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
kubectl scale deployment api --replicas=1
