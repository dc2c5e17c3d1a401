# 03.1 fail wrong-replicas
kubectl scale deployment web --replicas=1
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web, track: stable}
  ports:
    - {port: 80, targetPort: http}
EOF
