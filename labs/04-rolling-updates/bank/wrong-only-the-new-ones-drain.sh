# 04.2 fail requests-lost
# Only the new version drains: the old Pods, which are the ones that go, refuse at once. They stay
# for 12 s all the same, for the sake of a container that serves nothing.
deployment() { # the version, what else its Pods have
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
      terminationGracePeriodSeconds: 12
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
$2
EOF
}
done_() { kubectl rollout status deployment/nginx-deployment --timeout=200s; }
deployment 1.0 '        - name: idle
          image: kubelab/toolbox:1.0
          command: [sh, -c, "trap true TERM; while true; do sleep 1; done"]'
done_
sleep 2  # the load asks ten times a second: 1.0 has answered by then
deployment 2.0 '          lifecycle:
            preStop:
              sleep:
                seconds: 10'
done_
