# 04.2 fail ready-too-early
# The readiness probe always says yes, late: it asks nothing of the server, which may need any time.
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
            exec:
              command: ["true"]
            initialDelaySeconds: 10
            periodSeconds: 20
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
