# pass
# 06.4: an Indexed Job of one index. Exit 3 fails that index, and with it the Job, after one Pod.
kubectl delete job flaky
kubectl apply -f - <<'YAML'
apiVersion: batch/v1
kind: Job
metadata:
  name: pi
spec:
  completions: 6
  parallelism: 3
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: pi
          image: kubelab/toolbox:1.0
          command: [sh, -c, 'sleep 5; echo 3.14159']
---
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
          containers:
            - name: tick
              image: kubelab/toolbox:1.0
              command: [date]
---
apiVersion: batch/v1
kind: Job
metadata:
  name: flaky
spec:
  backoffLimit: 1
  completionMode: Indexed
  completions: 1
  parallelism: 1
  backoffLimitPerIndex: 1
  podFailurePolicy:
    rules:
      - action: Ignore
        onExitCodes: {operator: In, values: [75]}
      - action: FailIndex
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
kubectl delete job shards --ignore-not-found
kubectl apply -f - <<'YAML'
apiVersion: batch/v1
kind: Job
metadata:
  name: shards
spec:
  completionMode: Indexed
  completions: 4
  parallelism: 4
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: sum
          image: kubelab/toolbox:1.0
          command: [sh, -c, 'awk "{ sum += \$1 } END { print sum }" "/numbers/shard-$JOB_COMPLETION_INDEX"']
          volumeMounts:
            - {name: numbers, mountPath: /numbers}
      volumes:
        - name: numbers
          configMap: {name: numbers}
YAML
kubectl wait --for=condition=Complete job/shards --timeout=120s
total=$(kubectl logs -l job-name=shards --tail=1 | awk '{ sum += $1 } END { print sum }')
kubectl patch configmap answers -p "{\"data\": {\"total\": \"$total\"}}"
