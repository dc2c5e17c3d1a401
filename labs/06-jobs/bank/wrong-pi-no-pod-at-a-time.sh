# 06.1 fail suspended
# Everything is right but that no Pod may be at work (parallelism 0).
kubectl create -f - <<'YAML'
apiVersion: batch/v1
kind: Job
metadata: {name: pi}
spec:
  completions: 6
  parallelism: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - {name: pi, image: kubelab/toolbox:1.0, command: [sleep, "6"]}
YAML
