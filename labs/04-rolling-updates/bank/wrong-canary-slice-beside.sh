# 04.4 fail endpoints-by-hand
# Three and one by the selector; a slice by hand adds a second Pod of 2.1, so that two addresses of five are new.
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
      app: shop
      track: canary
  template:
    metadata:
      labels:
        app: shop
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
kubectl run more --image=kubelab/web:2.1 --labels=app=more --port=8080
kubectl wait --for=condition=Ready pod/more --timeout=60s
kubectl apply -f - <<EOF
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: shop-by-hand
  labels: {kubernetes.io/service-name: shop}
addressType: IPv4
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints:
  - addresses: [$(kubectl get pod more -o jsonpath='{.status.podIP}')]
EOF
kubectl rollout status deployment/shop-stable --timeout=90s
sleep 2
