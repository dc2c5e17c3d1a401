# 06.3 fail never-ends
# A helper takes 35 s to come up, and the work then takes 35: a run is longer than a minute, and each second one is left out.
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
            - name: helper
              image: kubelab/toolbox:1.0
              restartPolicy: Always
              command: [sh, -c, 'trap "exit 0" TERM; sleep 35; touch /tmp/up; while true; do sleep 1; done']
              startupProbe:
                exec: {command: [test, -e, /tmp/up]}
                periodSeconds: 1
                failureThreshold: 60
          containers:
            - name: tick
              image: kubelab/toolbox:1.0
              command: [sleep, "35"]
YAML
