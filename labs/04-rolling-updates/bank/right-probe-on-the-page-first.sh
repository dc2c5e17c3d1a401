# pass
# 04.3: the readiness probe asks the page `/` at first, which is enough for task 2, and 3.0 gets ready with it. Then the probe asks /healthz, and 3.0 is tried again and undone.
deployment() { # the version, the path that the probe asks
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
              path: $2
              port: 8080
            periodSeconds: 1
          lifecycle:
            preStop:
              sleep:
                seconds: 10
EOF
}
done_() { kubectl rollout status deployment/nginx-deployment --timeout=200s; }
deployment 1.0 /
done_
sleep 2  # the load asks ten times a second: 1.0 has answered by then
deployment 2.0 /
done_
# The page answers in 3.0, too: the rollout is complete.
kubectl set image deployment/nginx-deployment web=kubelab/web:3.0
done_
sleep 2
deployment 2.0 /healthz
done_
# 3.0 is never ready: the rollout stops, and the old Pods go on.
kubectl set image deployment/nginx-deployment web=kubelab/web:3.0
kubectl rollout status deployment/nginx-deployment --timeout=15s || true
kubectl rollout undo deployment/nginx-deployment
done_
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
