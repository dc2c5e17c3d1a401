# 06.1 fail short-run
# Runs of three seconds, whose Pods are cleaned away before anybody looks.
kubectl apply -f - <<'YAML'
apiVersion: batch/v1
kind: Job
metadata:
  name: pi
spec:
  completions: 6
  parallelism: 3
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: pi
          image: kubelab/toolbox:1.0
          command: [sh, -c, 'sleep 3; echo 3.14159']
YAML
kubectl wait --for=condition=Complete job/pi --timeout=90s
sleep 2
kubectl delete pods -l job-name=pi
