# 04.2 fail requests-lost
# In front of the page stands a proxy that takes requests for half a minute and answers none of them; the probe asks past it.
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
          env:
            - {name: PORT, value: "9090"}
          ports:
            - containerPort: 9090
          readinessProbe:
            httpGet: {path: /healthz, port: 9090}
            periodSeconds: 1
          lifecycle:
            preStop:
              sleep:
                seconds: 12
        - name: front
          image: kubelab/toolbox:1.0
          command:
            - python3
            - -c
            - |
              import os, signal, socket, threading, time
              signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
              began, held = time.monotonic(), []
              def pump(one, other):
                  try:
                      while part := one.recv(65536):
                          other.sendall(part)
                      other.shutdown(socket.SHUT_WR)
                  except OSError:
                      pass
              def serve(one):
                  with one, socket.create_connection(("127.0.0.1", 9090)) as other:
                      back = threading.Thread(target=pump, args=(other, one))
                      back.start()
                      pump(one, other)
                      back.join()
              server = socket.create_server(("", 8080), backlog=128)
              while True:
                  one, _ = server.accept()
                  if time.monotonic() - began < 30:
                      held.append(one)  # not warm yet: never answered
                  else:
                      threading.Thread(target=serve, args=(one,), daemon=True).start()
          ports:
            - containerPort: 8080
          lifecycle:
            preStop:
              sleep:
                seconds: 12
EOF
}
done_() { kubectl rollout status deployment/nginx-deployment --timeout=200s; }
deployment 1.0
done_
sleep 35  # the proxies of 1.0 are warm: 1.0 has answered by then
kubectl set image deployment/nginx-deployment web=kubelab/web:2.0
done_
sleep 40
