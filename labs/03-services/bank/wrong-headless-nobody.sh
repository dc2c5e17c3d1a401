# 03.3 fail not-ready
kubectl scale deployment web --replicas=0
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web-headless
spec:
  clusterIP: None
  selector: {app: web, track: stable}
  ports:
    - {name: http, port: 80, targetPort: http}
EOF
