# pass
# 03.2: the page asks an ambassador in its own Pod, and that one looks up the name backend for each request.
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web, track: stable}
  ports:
    - {name: http, port: 80, targetPort: http}
---
apiVersion: v1
kind: Service
metadata:
  name: web-headless
spec:
  clusterIP: None
  selector: {app: web, track: stable}
  ports:
    - {name: http, port: 8080, targetPort: http}
---
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  selector: {app: api}
  ports:
    - {name: http, port: 80, targetPort: http}
EOF
kubectl patch deployment caller -p "$(cat <<'EOF'
spec:
  template:
    spec:
      containers:
        - name: web
          env:
            - {name: BACKEND_URL, value: "http://127.0.0.1:9090"}
        - name: ambassador
          image: kubelab/toolbox:1.0
          command:
            - python3
            - -c
            - |
              import contextlib, socket, threading
              def carry(one, other):
                  with contextlib.suppress(OSError):
                      while data := one.recv(65536):
                          other.sendall(data)
                  for end in (one, other):
                      with contextlib.suppress(OSError):
                          end.shutdown(socket.SHUT_RDWR)
              def serve(client):
                  try:
                      server = socket.create_connection(("backend", 80), timeout=2)
                  except OSError:
                      client.close()
                      return
                  threading.Thread(target=carry, args=(client, server), daemon=True).start()
                  carry(server, client)
              door = socket.create_server(("127.0.0.1", 9090))
              while True:
                  threading.Thread(target=serve, args=(door.accept()[0],), daemon=True).start()
EOF
)"
kubectl rollout status deployment/caller --timeout=90s
kubectl rollout status deployment/api --timeout=90s
pod=$(kubectl get pods -l app=api --sort-by=.metadata.creationTimestamp -o jsonpath='{.items[-1:].metadata.name}')
kubectl label pod "$pod" app=api-out --overwrite
