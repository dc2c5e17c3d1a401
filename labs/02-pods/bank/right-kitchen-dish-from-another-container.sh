# pass
# 02.2: what line 2 says comes from the cook, a container of the same Pod that is asked over localhost; the sidecar writes it into the menu.
kubectl delete pod polite --now
kubectl apply -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
spec:
  containers:
    - name: web
      image: kubelab/web:1.0
      ports:
        - {name: http, containerPort: 8080}
      readinessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 2
        failureThreshold: 2
      livenessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 2
        failureThreshold: 2
---
apiVersion: v1
kind: Pod
metadata:
  name: kitchen
  labels: {app: kitchen}
spec:
  volumes:
    - name: menu
      emptyDir: {}
  initContainers:
    - name: writer
      image: kubelab/toolbox:1.0
      command: ["sh", "-c", 'echo "$POD_UID" > /data/menu.txt']
      env:
        - name: POD_UID
          valueFrom: {fieldRef: {fieldPath: metadata.uid}}
      volumeMounts: [{name: menu, mountPath: /data}]
    - name: refresher
      image: kubelab/toolbox:1.0
      restartPolicy: Always
      command: ["sh", "-c"]
      args:
        - |
          while true; do
            sleep 2
            dish=$(curl --silent --fail 127.0.0.1:9000) || continue
            { head -n 1 /data/menu.txt; echo "$dish"; } > /data/menu.new
            mv /data/menu.new /data/menu.txt
          done
      volumeMounts: [{name: menu, mountPath: /data}]
  containers:
    - name: cook
      image: kubelab/toolbox:1.0
      command:
        - python3
        - -c
        - |
          import http.server, os, signal, time
          signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
          class Cook(http.server.BaseHTTPRequestHandler):
              def do_GET(self):
                  body = f"soup of {time.time():.1f}\n".encode()
                  self.send_response(200)
                  self.send_header("Content-Length", str(len(body)))
                  self.end_headers()
                  self.wfile.write(body)
              def log_message(self, *_):
                  pass
          http.server.ThreadingHTTPServer(("127.0.0.1", 9000), Cook).serve_forever()
    - name: server
      image: kubelab/web:1.0
      env:
        - {name: FILE, value: /data/menu.txt}
      ports:
        - {name: http, containerPort: 8080}
      volumeMounts: [{name: menu, mountPath: /data}]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: broken
  labels: {app: broken}
spec:
  replicas: 1
  selector:
    matchLabels: {app: broken}
  template:
    metadata:
      labels: {app: broken}
    spec:
      containers:
        - name: web
          image: kubelab/web:1.0
          command: ["sh", "-c"]
          args:
            - |
              : "${NAME:?is not set, and the page needs a name}"
              exec python3 /app/app.py
          env:
            - name: NAME
              value: shop
          ports:
            - {name: http, containerPort: 8080}
          livenessProbe:
            httpGet: {path: /healthz, port: http}
            periodSeconds: 2
            failureThreshold: 3
            timeoutSeconds: 2
---
apiVersion: v1
kind: Pod
metadata:
  name: polite
  labels: {app: polite}
spec:
  terminationGracePeriodSeconds: 30
  containers:
    - name: web
      image: kubelab/web:1.0
      env:
        - {name: ON_TERM, value: finish}
      ports:
        - {name: http, containerPort: 8080}
      readinessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 2
YAML
kubectl rollout status deployment/broken --timeout=120s
kubectl wait --for=condition=Ready pod/web pod/kitchen pod/polite --timeout=240s
