# 00.2 fail extra-endpoints
# A Pod by hand that bears the label, and has no server.
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
---
apiVersion: v1
kind: Pod
metadata:
  name: silent
  labels: {app: web}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - {name: silent, image: kubelab/toolbox:1.0}
EOF
