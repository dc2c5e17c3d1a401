# 06.4 fail stopped-too-early
# The rules are right; the Job has one second in all, so it is over before anything is repeated.
kubectl delete job flaky
kubectl apply -f - <<'YAML'
apiVersion: batch/v1
kind: Job
metadata:
  name: flaky
spec:
  backoffLimit: 1
  activeDeadlineSeconds: 1
  podFailurePolicy:
    rules:
      - action: Ignore
        onExitCodes: {operator: In, values: [75]}
      - action: FailJob
        onExitCodes: {operator: In, values: [3]}
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: work
          image: kubelab/toolbox:1.0
          command: [sh, -c, 'echo "ends with $CODE"; exit "$CODE"']
          env:
            - {name: CODE, value: "75"}
YAML
