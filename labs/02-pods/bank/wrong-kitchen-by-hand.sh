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
    - name: idle
      image: kubelab/toolbox:1.0
      command: ["sh", "-c"]
      args:
        - |
          echo soon > /data/menu.txt
      volumeMounts:
        - name: menu
          mountPath: /data
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
EOF
kubectl wait --for=condition=Ready pod/kitchen --timeout=60s
uid=$(kubectl get pod kitchen -o jsonpath='{.metadata.uid}')
kubectl exec kitchen -c refresher -- sh -c "echo $uid > /data/menu.txt"
