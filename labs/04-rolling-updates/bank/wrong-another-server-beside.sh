# 04.3 fail wrong-backend
# All is undone; afterwards a Pod with another server stands behind the same Service: one request of five gets no 2.0.
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
sleep 25  # the Pods of 3.0 have gone, and the record of the bad release is closed
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata:
  name: beside
  labels: {app: nginx}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: beside
      image: kubelab/toolbox:1.0
      command: [python3, -m, http.server, "8080"]
EOF
kubectl wait --for=condition=Ready pod/beside --timeout=60s
sleep 6
