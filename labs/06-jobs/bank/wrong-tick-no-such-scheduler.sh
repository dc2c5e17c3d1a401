# 06.3 fail unschedulable
# Each Pod of a run waits for a scheduler that is not there: no run ever begins.
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
          schedulerName: by-hand
          containers:
            - name: tick
              image: kubelab/toolbox:1.0
              command: [date]
YAML
