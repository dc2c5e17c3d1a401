# 06.1 fail not-kept
# It is looked for after it has come and gone.
kubectl apply -f - <<'EOF'
apiVersion: batch/v1
kind: Job
metadata:
  name: pi
spec:
  completions: 6
  parallelism: 3
  ttlSecondsAfterFinished: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: pi
          image: kubelab/toolbox:1.0
          command: [sh, -c, 'sleep 5; echo 3.14159']
EOF
kubectl wait --for=delete job/pi --timeout=120s
