# pass
# Service `shop` has a second port, for later; the canary's page is at the port that it names http, 9090.
deployment() { # the version
kubectl apply -f - <<EOF
apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-deployment
spec:
  replicas: 4
  progressDeadlineSeconds: 180
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
          image: kubelab/web:$1
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet:
              path: /healthz
              port: 8080
            periodSeconds: 1
          lifecycle:
            preStop:
              sleep:
                seconds: 10
EOF
}
done_() { kubectl rollout status deployment/nginx-deployment --timeout=200s; }
deployment 1.0
done_
sleep 3  # the load asks ten times a second: 1.0 has answered by then
kubectl set image deployment/nginx-deployment web=kubelab/web:2.0
done_
# 3.0 is never ready: the rollout stops, and the old Pods go on.
kubectl set image deployment/nginx-deployment web=kubelab/web:3.0
kubectl rollout status deployment/nginx-deployment --timeout=15s || true
kubectl rollout undo deployment/nginx-deployment
done_
kubectl patch deployment shop-stable -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "ports": [{"containerPort": 8080, "name": "http"}]}]}}}}'
kubectl rollout status deployment/shop-stable --timeout=200s
kubectl patch service shop --type=json -p '[{"op": "replace", "path": "/spec/ports", "value": [
  {"name": "more", "port": 9000, "targetPort": 9000}, {"name": "http", "port": 80, "targetPort": "http"}]}]'
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
          env:
            - {name: PORT, value: "9090"}
          ports:
            - {name: http, containerPort: 9090}
          readinessProbe:
            httpGet: {path: /healthz, port: 9090}
            periodSeconds: 1
EOF
kubectl rollout status deployment/shop-canary --timeout=200s
sleep 15  # the last Pods of the old shop-stable go
