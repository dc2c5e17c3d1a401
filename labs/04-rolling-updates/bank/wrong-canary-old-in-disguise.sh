# 04.4 fail wrong-version
# An image of 2.1 that was made to answer 2.0.
kubectl create configmap version --from-literal=version=2.0
kubectl apply -f - <<EOF
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop-canary
spec:
  replicas: 1
  progressDeadlineSeconds: 180
  selector:
    matchLabels:
      app: shop
      track: canary
  template:
    metadata:
      labels:
        app: shop
        track: canary
    spec:
      containers:
        - name: web
          image: kubelab/web:2.1
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet:
              path: /healthz
              port: 8080
            periodSeconds: 1
          volumeMounts:
            - name: version
              mountPath: /app/version
              subPath: version
      volumes:
        - name: version
          configMap:
            name: version
EOF
kubectl rollout status deployment/shop-canary --timeout=200s
