# 00.1 fail not-replaced
# Both run; a quota of the learner's own leaves no room for the next one.
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
          ports:
            - {containerPort: 8080}
          readinessProbe:
            httpGet: {path: /healthz, port: 8080}
            periodSeconds: 1
EOF
kubectl rollout status deployment/web --timeout=90s
kubectl create quota mine --hard=pods=1
sleep 3
