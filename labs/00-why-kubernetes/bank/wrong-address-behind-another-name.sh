# 00.2 fail fixed-address
# The store's name is one of the learner's own, and somebody wrote down which address it stands for.
address=$(kubectl get service redis -o jsonpath='{.spec.clusterIP}')
kubectl apply -f - <<EOF
apiVersion: v1
kind: Service
metadata:
  name: counter
spec:
  clusterIP: None
  ports:
    - {port: 6379}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: counter-by-hand
  labels: {kubernetes.io/service-name: counter}
addressType: IPv4
ports: [{port: 6379, protocol: TCP}]
endpoints:
  - addresses: [$address]
    conditions: {ready: true}
---
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
EOF
kubectl rollout status deployment/web --timeout=90s
