# pass
# An index that fails at first is tried again; the numbers are written as people write them.
kubectl apply -f - <<'YAML'
apiVersion: batch/v1
kind: Job
metadata:
  name: shards
spec:
  completionMode: Indexed
  completions: 4
  parallelism: 2
  backoffLimit: 20
  template:
    spec:
      restartPolicy: OnFailure
      containers:
        - name: sum
          image: kubelab/toolbox:1.0
          command: [bash, -c, '(( RANDOM % 3 )) || exit 1; awk "{ sum += \$1 } END { print sum }" "/numbers/shard-$JOB_COMPLETION_INDEX"']
          volumeMounts:
            - {name: numbers, mountPath: /numbers}
      volumes:
        - name: numbers
          configMap: {name: numbers}
YAML
kubectl apply -f - <<'YAML'
apiVersion: batch/v1
kind: Job
metadata:
  name: pi
spec:
  completions: 6
  parallelism: 3
  ttlSecondsAfterFinished: 86400
  activeDeadlineSeconds: 600
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
  schedule: "*/1 0-23 1-31 JAN-DEC ?"
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
      - {action: FailJob, onExitCodes: {operator: In, values: [3]}}
      - {action: Ignore, onPodConditions: [{type: DisruptionTarget}]}
      - {action: Ignore, onExitCodes: {operator: In, values: [75]}}
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
total=$(LC_ALL=en_US.UTF-8 awk -v n="$total" 'BEGIN { printf "%d,%03d", n / 1000, n % 1000 }')
kubectl patch configmap answers -p "{\"data\": {\"total\": \"$total\"}}"
