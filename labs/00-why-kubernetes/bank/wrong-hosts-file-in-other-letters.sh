# 00.2 fail fixed-address
# A line of /etc/hosts binds the name to today's address of the Service, as in wrong-host-alias-of-the-service; STORE_HOST has a capital letter, which no resolver minds.
address=$(kubectl get service redis -o jsonpath='{.spec.clusterIP}')
kubectl apply -f - <<EOF
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
      hostAliases:
        - ip: $address
          hostnames: [redis]
      containers:
        - name: web
          image: kubelab/web:1.0
          env:
            - {name: STORE_HOST, value: Redis}
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
kubectl rollout status deployment/web --timeout=120s
