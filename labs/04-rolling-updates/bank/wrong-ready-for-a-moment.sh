# 04.1 fail not-ready
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
          readinessProbe:
            exec:
              command: ["sh", "-c", "test -e /tmp/asked && exit 1; touch /tmp/asked"]
            periodSeconds: 1
            failureThreshold: 1
EOF
sleep 20  # each Pod is ready for a second, and never again
