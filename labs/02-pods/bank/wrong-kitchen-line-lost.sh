# 02.2 fail wrong-content
kubectl apply -f - <<'EOF'
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
          trap 'exit 0' TERM
          while true; do
            { head -n 1 /data/menu.txt; date; } > /data/menu.new
            mv /data/menu.new /data/menu.txt
            sleep 2 &
            wait
          done
      volumeMounts:
        - name: menu
          mountPath: /data
  containers:
    - name: server
      image: kubelab/web:1.0
      env:
        - name: FILE
          value: /data/menu.txt
      ports:
        - name: http
          containerPort: 8080
      volumeMounts:
        - name: menu
          mountPath: /data
EOF
kubectl wait --for=condition=Ready pod/kitchen --timeout=60s
kubectl exec kitchen -c refresher -- sh -c 'echo soup > /data/menu.txt'
