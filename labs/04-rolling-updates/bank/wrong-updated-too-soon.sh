# 04.2 fail not-seen
deployment() { # the version
kubectl apply -f - <<EOF
apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-deployment
spec:
  replicas: 4
  paused: true
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
# Paused: the first version stands in the Deployment, and no Pod ever runs it.
kubectl set image deployment/nginx-deployment web=kubelab/web:2.0
kubectl rollout resume deployment/nginx-deployment
done_
