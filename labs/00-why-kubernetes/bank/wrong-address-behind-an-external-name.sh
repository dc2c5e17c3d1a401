# 00.2 fail fixed-address
# A name of the learner's own stands for the DNS record of today's address, so nothing is found by the name of redis.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
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
      containers:
        - name: web
          image: kubelab/web:1.0
          env:
            - {name: STORE_HOST, value: counter}
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
kind: Service
metadata:
  name: counter
spec:
  type: ExternalName
  externalName: ${address//./-}.$namespace.pod.cluster.local
EOF
kubectl rollout status deployment/web --timeout=120s
