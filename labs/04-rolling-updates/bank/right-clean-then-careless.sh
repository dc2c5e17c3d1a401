# pass
# 04.2: a clean update, not checked at once; then one without probe and hook, to see what they are for; then all is as it should be again. "One clean update is enough."
careless() { # the version
kubectl apply -f - <<EOF
apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-deployment
spec:
  replicas: 4
  progressDeadlineSeconds: 180
  strategy:
    type: Recreate
    rollingUpdate: null
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
EOF
}
deployment() { # the version
kubectl apply -f - <<EOF
apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-deployment
spec:
  replicas: 4
  progressDeadlineSeconds: 180
  strategy:
    type: RollingUpdate
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
sleep 2  # the load asks ten times a second: 1.0 has answered by then
deployment 2.0
done_
sleep 14  # the last Pod of 1.0 has gone, and every request of that time is answered
careless 1.0
done_
sleep 2
careless 2.0
done_
deployment 2.0
done_
sleep 8  # the careless Pods have gone: what they lose is not the bad release's
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
