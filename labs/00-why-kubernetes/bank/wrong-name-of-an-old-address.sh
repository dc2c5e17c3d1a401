# 00.2 fail fixed-address
# A name that each Pod keeps for itself, with the address of today's Pod of redis.
kubectl rollout status deployment/redis --timeout=90s
address=$(kubectl get pods -l app=redis -o jsonpath='{.items[0].status.podIP}')
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
          hostnames: [store]
      containers:
        - name: web
          image: kubelab/web:1.0
          env:
            - {name: STORE_HOST, value: store}
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
