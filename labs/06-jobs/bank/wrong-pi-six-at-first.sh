# 06.1 fail too-many-at-once
# Six work at a time at first, and three after a change: the three that had to go leave no trace in its status.
kubectl apply -f - <<'YAML'
apiVersion: batch/v1
kind: Job
metadata:
  name: pi
spec:
  completions: 6
  parallelism: 6
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      containers:
        - name: pi
          image: kubelab/toolbox:1.0
          command: [sh, -c, 'sleep 5; echo 3.14159']
YAML
for _ in $(seq 60); do
  [ "$(kubectl get pods -l job-name=pi --field-selector=status.phase=Running -o name | wc -l)" = 6 ] && break
  sleep 0.3
done
kubectl patch job pi -p '{"spec": {"parallelism": 3}}'
kubectl wait --for=condition=Complete job/pi --timeout=90s
sleep 2
