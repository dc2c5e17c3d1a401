# 06.3 fail never-ends
# The work is short, and an init container before it takes longer than a minute.
kubectl apply -f - <<'YAML'
apiVersion: batch/v1
kind: CronJob
metadata:
  name: tick
spec:
  schedule: "* * * * *"
  concurrencyPolicy: Forbid
  successfulJobsHistoryLimit: 2
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          initContainers:
            - name: first
              image: kubelab/toolbox:1.0
              command: [sleep, "90"]
          containers:
            - name: tick
              image: kubelab/toolbox:1.0
              command: [date]
YAML
