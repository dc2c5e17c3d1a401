# 04.4 fail endpoints-by-hand
# Three and one by the selector; a slice by hand, in the name of the controller, adds a second Pod of 2.1: two addresses of five are new.
kubectl apply -f - <<EOF
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop-canary
spec:
  replicas: 1
  progressDeadlineSeconds: 180
  selector:
    matchLabels: {app: shop, track: canary}
  template:
    metadata:
      labels: {app: shop, track: canary}
    spec:
      containers:
        - name: web
          image: kubelab/web:2.1
          ports:
            - {containerPort: 8080}
          readinessProbe:
            httpGet: {path: /healthz, port: 8080}
            periodSeconds: 1
EOF
kubectl rollout status deployment/shop-canary --timeout=200s
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata:
  name: second
  labels: {app: second}
spec:
  containers:
    - name: web
      image: kubelab/web:2.1
      ports:
        - {containerPort: 8080}
      readinessProbe:
        httpGet: {path: /healthz, port: 8080}
        periodSeconds: 1
EOF
kubectl wait --for=condition=Ready pod/second --timeout=60s
{ cat <<'EOF'
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: shop-more
  labels: {kubernetes.io/service-name: shop}
addressType: IPv4
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints:
EOF
kubectl get pods -l app=second -o jsonpath='{range .items[*]}- addresses: [{.status.podIP}]{"\n"}{end}'
} | kubectl create --field-manager=kube-controller-manager -f -
sleep 4
