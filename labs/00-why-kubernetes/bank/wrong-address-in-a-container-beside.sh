# 00.2 fail fixed-address
# The page asks a container beside it, which asks today's address of the Service for each visit.
address=$(kubectl get service redis -o jsonpath='{.spec.clusterIP}')
kubectl apply -f - <<EOF
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: kubelab/web:1.0
          env:
            - {name: STORE_HOST, value: 127.0.0.1}
          ports:
            - {containerPort: 8080}
          readinessProbe:
            httpGet: {path: /healthz, port: 8080}
            periodSeconds: 1
        - name: beside
          image: kubelab/toolbox:1.0
          command:
            - python3
            - -c
            - |
              import socket, threading

              def pass_on(one, other):
                  try:
                      while data := one.recv(4096):
                          other.sendall(data)
                  except OSError:
                      pass
                  for end in (one, other):
                      try:
                          end.shutdown(socket.SHUT_RDWR)
                      except OSError:
                          pass

              def serve(page):
                  try:
                      store = socket.create_connection(("$address", 6379), timeout=2)
                  except OSError:
                      page.close()
                      return
                  store.settimeout(10)
                  threading.Thread(target=pass_on, args=(store, page), daemon=True).start()
                  pass_on(page, store)

              with socket.create_server(("127.0.0.1", 6379)) as door:
                  while True:
                      page, _ = door.accept()
                      threading.Thread(target=serve, args=(page,), daemon=True).start()
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports:
    - {port: 80, targetPort: 8080}
EOF
kubectl rollout status deployment/web --timeout=120s
