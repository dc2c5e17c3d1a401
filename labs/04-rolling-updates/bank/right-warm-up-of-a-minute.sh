# pass
# 04.2: an init container warms up for 65 s; all new Pods come at once, and nobody notices.
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
    rollingUpdate: {maxSurge: 100%, maxUnavailable: 0}
  selector:
    matchLabels:
      app: nginx
  template:
    metadata:
      labels:
        app: nginx
    spec:
      initContainers:
        - name: warm-up
          image: kubelab/toolbox:1.0
          command: [sleep, "65"]
      containers:
        - name: web
          image: kubelab/web:$1
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet: {path: /healthz, port: 8080}
            periodSeconds: 1
          lifecycle:
            preStop:
              sleep:
                seconds: 10
EOF
}
done_() { kubectl rollout status deployment/nginx-deployment --timeout=200s; }
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
deployment 1.0
done_
sleep 3  # the load asks ten times a second: 1.0 has answered by then
kubectl set image deployment/nginx-deployment web=kubelab/web:2.0
done_
# 3.0 is never ready: the rollout stops, and the old Pods go on.
kubectl set image deployment/nginx-deployment web=kubelab/web:3.0
kubectl rollout status deployment/nginx-deployment --timeout=70s || true
kubectl rollout undo deployment/nginx-deployment
done_
kubectl rollout status deployment/shop-canary --timeout=200s
