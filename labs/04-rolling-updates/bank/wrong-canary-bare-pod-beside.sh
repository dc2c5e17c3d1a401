# 04.4 fail missing-endpoints
# Service `shop` does not find the canary; a bare Pod of 2.1 stands in its place.
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
      app: shop-canary
      track: canary
  template:
    metadata:
      labels:
        app: shop-canary
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
EOF
kubectl rollout status deployment/shop-canary --timeout=200s
kubectl apply -f - <<EOF
apiVersion: v1
kind: Pod
metadata:
  name: shop-pod
  labels:
    app: shop
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
EOF
kubectl wait --for=condition=Ready pod/shop-pod --timeout=90s
