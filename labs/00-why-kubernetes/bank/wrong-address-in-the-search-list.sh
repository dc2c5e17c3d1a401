# 00.2 fail fixed-address
# Today's address with dashes for dots; the search list of the Pods completes it to the DNS record of that address.
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
      dnsConfig:
        searches: [$namespace.pod.cluster.local]
      containers:
        - name: web
          image: kubelab/web:1.0
          env:
            - {name: STORE_HOST, value: "${address//./-}"}
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
