# pass
# 00.1: PORT is another variable's value, written as `$(PAGE_PORT)`. The container names no port and has no probe, which is optional.
kubectl apply -f - <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: kubelab/web:1.0
          env:
            - {name: STORE_HOST, value: redis}
            - {name: PAGE_PORT, value: "9090"}
            - {name: PORT, value: "$(PAGE_PORT)"}
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports:
    - {port: 80, targetPort: 9090}
EOF
kubectl rollout status deployment/web --timeout=120s
