# 06.4 fail not-created
# The rules are right; it asks for more than the namespace may ever have, so it has no Pod.
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
          image: kubelab/toolbox:1.0
          command: [sh, -c, 'echo "ends with $CODE"; exit "$CODE"']
          resources:
            requests: {memory: 64Gi}
            limits: {memory: 64Gi}
          env:
            - {name: CODE, value: "75"}
YAML
