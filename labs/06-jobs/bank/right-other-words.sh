# pass
# The same, said otherwise: an Indexed Job of six, `@every`, Replace, rules by exclusion.
kubectl apply -f - <<'YAML'
apiVersion: batch/v1
kind: Job
metadata:
  name: pi
spec:
  completionMode: Indexed
  completions: 6
  parallelism: 3
  backoffLimit: 2
  template:
    spec:
      restartPolicy: OnFailure
      containers:
        - name: pi
          image: kubelab/toolbox:1.0
          command: [sleep, '6']
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: tick
spec:
  schedule: "@every 1m"
  concurrencyPolicy: Replace
  successfulJobsHistoryLimit: 2
  failedJobsHistoryLimit: 0
  suspend: true
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: OnFailure
          containers:
            - name: tick
              image: kubelab/toolbox:1.0
              command: [date]
YAML
kubectl apply -f - <<'YAML'
apiVersion: batch/v1
kind: Job
metadata:
  name: shards
spec:
  completionMode: Indexed
  completions: 4
  parallelism: 1
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: sum
          image: kubelab/toolbox:1.0
          command: [python3, -c, 'import os; n = os.environ["JOB_COMPLETION_INDEX"]; print("shard", n, "sum", sum(map(int, open("/numbers/shard-" + n))))']
          volumeMounts:
            - {name: numbers, mountPath: /numbers}
      volumes:
        - name: numbers
          configMap: {name: numbers}
YAML
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
      - {action: Ignore, onExitCodes: {containerName: work, operator: In, values: [75, 76]}}
      - {action: FailJob, onExitCodes: {operator: NotIn, values: [75]}}
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
kubectl wait --for=condition=Complete job/shards --timeout=120s
total=$(kubectl get configmap numbers -o go-template='{{range .data}}{{.}}{{end}}' | awk '{ sum += $1 } END { print sum }')
kubectl patch configmap answers -p "{\"data\": {\"total\": \"$total\"}}"
