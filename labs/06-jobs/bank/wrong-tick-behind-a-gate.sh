# 06.3 fail unschedulable
# Each Pod of a run is held by a scheduling gate that nobody opens.
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
          schedulingGates: [{name: example.com/hold}]
          containers:
            - name: tick
              image: kubelab/toolbox:1.0
              command: [date]
YAML
