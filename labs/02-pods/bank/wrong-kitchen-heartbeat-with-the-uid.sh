# 02.2 fail wrong-refresher
# A plain second container rewrites line 2. The sidecar writes a heartbeat of its own, into which it puts the Pod's uid, and nothing of the menu.
kubectl apply -f - <<'EOF'
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
    - name: heartbeat
      image: kubelab/toolbox:1.0
      restartPolicy: Always
      env:
        - name: POD_UID
          valueFrom: {fieldRef: {fieldPath: metadata.uid}}
      command: ["sh", "-c"]
      args:
        - |
          while true; do
            printf '%s\n%s\n' "$POD_UID" "$(date +%s.%N)" > /data/heartbeat
            sleep 1
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
    - name: refresher
      image: kubelab/toolbox:1.0
      command: ["sh", "-c"]
      args:
        - |
          until [ -e /data/heartbeat ]; do sleep 0.5; done
          while true; do
            { head -n 1 /data/menu.txt; date +%s.%N; } > /data/menu.new
            mv /data/menu.new /data/menu.txt
            sleep 2
          done
      volumeMounts: [{name: menu, mountPath: /data}]
EOF
kubectl wait --for=condition=Ready pod/kitchen --timeout=120s
