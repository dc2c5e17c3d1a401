# 04.2 fail no-readiness-probe
# No probe: after a warm-up of 45 s each new Pod counts as ready 3 s before its server listens, and refuses.
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
      terminationGracePeriodSeconds: 90
      initContainers:
        - name: warm-up
          image: kubelab/toolbox:1.0
          command: [sleep, "45"]
      containers:
        - name: web
          image: kubelab/web:$1
          command: [sh, -c, "sleep 3; exec python3 /app/app.py"]
          ports:
            - containerPort: 8080
          lifecycle:
            preStop:
              sleep:
                seconds: 60
EOF
}
done_() { kubectl rollout status deployment/nginx-deployment --timeout=200s; }
deployment 1.0
done_
sleep 6  # the load asks ten times a second: 1.0 has answered by then
kubectl set image deployment/nginx-deployment web=kubelab/web:2.0
done_
sleep 64  # the last Pod of 1.0 has gone
