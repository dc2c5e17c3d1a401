# 04.1 fail no-answer
# The page's image, and in it a server that lists files: four answer, none with the page.
kubectl apply -f - <<EOF
apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-deployment
spec:
  replicas: 4
  selector:
    matchLabels:
      app: nginx
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
        - name: web
          image: kubelab/web:1.0
          command: [python3, -m, http.server, "8080", --directory, /app]
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet:
              path: /
              port: 8080
            periodSeconds: 1
EOF
kubectl rollout status deployment/nginx-deployment --timeout=90s
