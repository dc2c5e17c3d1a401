# pass
# A quota of exactly three Pods, and the page takes its time to end: the next Pod is made as soon as the old one has gone.
kubectl apply -f - <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  strategy:
    rollingUpdate: {maxSurge: 0, maxUnavailable: 1}
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      terminationGracePeriodSeconds: 30
      containers:
        - name: web
          image: kubelab/web:1.0
          env:
            - {name: STORE_HOST, value: redis}
            - {name: ON_TERM, value: ignore}
          ports:
            - {containerPort: 8080}
          readinessProbe:
            httpGet: {path: /healthz, port: 8080}
            periodSeconds: 1
          lifecycle:
            preStop:
              exec:
                command: [sleep, "5"]
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports:
    - {port: 80, targetPort: 8080}
EOF
kubectl rollout status deployment/web --timeout=90s
kubectl rollout status deployment/redis --timeout=90s
kubectl create quota mine --hard=pods=3
sleep 3
