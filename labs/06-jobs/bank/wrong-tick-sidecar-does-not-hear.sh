# 06.3 fail never-ends
# The work takes 40 s; its helper does not hear SIGTERM, so the Pod goes on for 30 s more: each minute replaces the run before its end, and none ever succeeds.
kubectl apply -f - <<'YAML'
apiVersion: batch/v1
kind: CronJob
metadata:
  name: tick
spec:
  schedule: "* * * * *"
  concurrencyPolicy: Replace
  successfulJobsHistoryLimit: 2
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          initContainers:
            - name: helper
              image: kubelab/toolbox:1.0
              restartPolicy: Always
              command: [sh, -c, 'while true; do sleep 1; done']
          containers:
            - name: tick
              image: kubelab/toolbox:1.0
              command: [sleep, "40"]
YAML
