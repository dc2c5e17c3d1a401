# pass
# 04.3: the cell with 3.0 is run before there is a probe (all cells at once), so 3.0 gets ready. Then it is all done again, rightly.
careless() { # the version
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
careless 1.0
done_
sleep 2  # the load asks ten times a second: 1.0 has answered by then
# Nobody asks /healthz: the rollout of 3.0 is complete.
careless 3.0
done_
sleep 2
# Back to 1.0 with a probe and a hook, and from there as the task says.
deployment 1.0
done_
sleep 8
deployment 2.0
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
