# 02.2 fail not-refreshed
# The sidecar rewrites line 2 for 45 s and then no more: a fresh copy would do well.
kubectl apply -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata:
  name: kitchen
  labels:
    app: kitchen
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
          valueFrom:
            fieldRef:
              fieldPath: metadata.uid
      volumeMounts:
        - name: menu
          mountPath: /data
    - name: refresher
      image: kubelab/toolbox:1.0
      restartPolicy: Always
      command: ["sh", "-c"]
      args:
        - |
          for _ in $(seq 15); do
            { head -1 /data/menu.txt; date; } > /data/new && mv /data/new /data/menu.txt
            sleep 3
          done
          sleep infinity
      volumeMounts:
        - name: menu
          mountPath: /data
  containers:
    - name: server
      image: kubelab/web:1.0
      env:
        - name: FILE
          value: /data/menu.txt
      volumeMounts:
        - name: menu
          mountPath: /data
YAML
kubectl wait pod/kitchen --for=condition=Ready --timeout=90s
sleep 50  # until the sidecar has stopped
