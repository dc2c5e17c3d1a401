# 02.3 fail not-ready
kubectl apply -f - <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: broken
  labels:
    app: broken
spec:
  replicas: 1
  selector:
    matchLabels:
      app: broken
  template:
    metadata:
      labels:
        app: broken
    spec:
      containers:
        - name: web
          image: kubelab/web:1.0
          command: ["sh", "-c"]
          args:
            - |
              : "${NAME:?is not set, and the page needs a name}"
              exec python3 /app/app.py
          env:
            - name: NAME
              value: shop
          ports:
            - name: http
              containerPort: 8080
          livenessProbe:
            httpGet:
              path: /healthz
              port: http
            periodSeconds: 2
            failureThreshold: 3
            timeoutSeconds: 2
EOF
kubectl rollout status deployment/broken --timeout=60s
kubectl rollout pause deployment/broken
kubectl set env deployment/broken NAME=market
