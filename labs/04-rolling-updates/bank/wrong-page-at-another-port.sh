# 04.3 fail no-answer
# All is undone, and afterwards the Service leads to a port at which nobody listens.
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
sleep 2
kubectl set image deployment/nginx-deployment web=kubelab/web:2.0
done_
kubectl set image deployment/nginx-deployment web=kubelab/web:3.0
kubectl rollout status deployment/nginx-deployment --timeout=15s || true
kubectl rollout undo deployment/nginx-deployment
done_
sleep 20
kubectl patch service nginx --type=json -p \
  '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 9090}]'
sleep 3
