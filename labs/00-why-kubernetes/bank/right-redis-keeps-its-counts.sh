# pass
# Redis keeps its counts on a volume: after it was replaced they go on instead of starting again.
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: counts
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests: {storage: 100Mi}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: redis
spec:
  replicas: 1
  strategy:
    type: Recreate
    rollingUpdate: null
  selector:
    matchLabels: {app: redis}
  template:
    metadata:
      labels: {app: redis, part: shop}
    spec:
      securityContext: {fsGroup: 10001}
      containers:
        - name: redis
          image: kubelab/redis:1.0
          args: ["--appendonly", "yes", "--appendfsync", "always"]
          ports:
            - {containerPort: 6379}
          readinessProbe:
            exec: {command: [redis-cli, ping]}
            periodSeconds: 1
          volumeMounts:
            - {name: counts, mountPath: /data}
      volumes:
        - name: counts
          persistentVolumeClaim: {claimName: counts}
EOF
kubectl rollout status deployment/redis --timeout=120s
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
