# 04.1 fail wrong-image
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
          image: kubelab/toolbox:1.0
          command: ["sleep", "infinity"]
EOF
kubectl rollout status deployment/nginx-deployment --timeout=200s
