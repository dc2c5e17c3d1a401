# 06.4 fail image-unavailable
# The image has no tag: that is `latest`, which is always pulled and which nobody has. No Pod ever starts.
kubectl delete job flaky
kubectl apply -f - <<'YAML'
apiVersion: batch/v1
kind: Job
metadata:
  name: flaky
spec:
  backoffLimit: 1
  podFailurePolicy:
    rules:
      - {action: Ignore, onExitCodes: {operator: In, values: [75]}}
      - {action: FailJob, onExitCodes: {operator: In, values: [3]}}
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: work
          image: kubelab/toolbox
          command: [sh, -c, 'echo "ends with $CODE"; exit "$CODE"']
          env:
            - {name: CODE, value: "75"}
YAML
