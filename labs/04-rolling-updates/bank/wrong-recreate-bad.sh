# 04.3 fail requests-lost
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
recreate() { # the version
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
kubectl set image deployment/nginx-deployment web=kubelab/web:2.0
done_
recreate 3.0
# The old Pods go first, ten seconds and more: then the bad ones are made.
for _ in {1..90}; do
  kubectl get pods -o jsonpath='{.items[*].spec.containers[*].image}' | grep -q web:3.0 && break
  sleep 1
done
kubectl rollout status deployment/nginx-deployment --timeout=5s || true
deployment 2.0
done_
