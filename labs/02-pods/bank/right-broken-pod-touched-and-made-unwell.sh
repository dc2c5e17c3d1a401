# pass
# 02.3: its Pod is labelled, replaced and applied by hand, and its server is made unwell once: the probe restarts it.
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
            { head -n 1 /data/menu.txt; date +%s.%N; } > /data/menu.new
            mv /data/menu.new /data/menu.txt
            sleep 2
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
pod=$(kubectl get pods -l app=broken -o json | python3 -c '
import json, sys
print(next(p["metadata"]["name"] for p in json.load(sys.stdin)["items"] if "deletionTimestamp" not in p["metadata"]))
')
kubectl label pod "$pod" seen=yes
kubectl get pod "$pod" -o json | kubectl replace -f -
kubectl get pod "$pod" -o json --show-managed-fields=false | python3 -c '
import json, sys
pod = json.load(sys.stdin)
pod["metadata"] = {k: v for k, v in pod["metadata"].items() if k not in ("managedFields", "resourceVersion")}
pod.pop("status")
print(json.dumps(pod))
' |
  kubectl apply --server-side --force-conflicts -f -
kubectl exec "$pod" -- python3 -c 'import urllib.request; urllib.request.urlopen("http://127.0.0.1:8080/fail", b"")'
kubectl wait --for=jsonpath='{.status.containerStatuses[0].restartCount}'=1 "pod/$pod" --timeout=60s
kubectl wait --for=condition=Ready "pod/$pod" --timeout=60s
