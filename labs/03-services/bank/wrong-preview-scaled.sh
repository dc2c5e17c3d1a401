# 03.1 fail not-ready
kubectl scale deployment preview --replicas=0
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
