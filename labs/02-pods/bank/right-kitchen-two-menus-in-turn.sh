# pass
# 02.2: two menus stand ready, and the sidecar puts them into place in turn.
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
          cd /data
          { head -n 1 menu.txt; echo soup; } > menu.a
          { head -n 1 menu.txt; echo bread; } > menu.b
          while true; do
            for one in a b; do cp "menu.$one" menu.new; mv menu.new menu.txt; sleep 2; done
          done
      volumeMounts: [{name: menu, mountPath: /data}]
  containers:
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
