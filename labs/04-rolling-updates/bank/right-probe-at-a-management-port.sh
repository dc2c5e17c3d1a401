# pass
# A second container says at a port of its own whether the page is healthy: /ready, and nothing else there.
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
            httpGet: {path: /ready, port: 9000}
            periodSeconds: 1
            timeoutSeconds: 3
          lifecycle:
            preStop:
              sleep:
                seconds: 10
        - name: health
          image: kubelab/toolbox:1.0
          command:
            - python3
            - -c
            - |
              import http.server, os, signal, urllib.request
              signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
              class Health(http.server.BaseHTTPRequestHandler):
                  def do_GET(self):
                      status = 404
                      if self.path == "/ready":
                          try:
                              status = urllib.request.urlopen("http://127.0.0.1:8080/healthz", timeout=2).status
                          except Exception:
                              status = 503
                      self.send_response(status)
                      self.send_header("Content-Length", "0")
                      self.end_headers()
                  def log_message(self, *_):
                      pass
              http.server.ThreadingHTTPServer(("", 9000), Health).serve_forever()
          ports:
            - containerPort: 9000
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
kubectl rollout status deployment/shop-canary --timeout=200s
