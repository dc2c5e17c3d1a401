# pass
# 06.3: a run asks the store, which a NetworkPolicy opens for the Pods of tick alone.
kubectl delete job flaky
kubectl apply -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata:
  name: store
  labels: {app: store}
spec:
  containers:
    - name: web
      image: kubelab/web:1.0
      env:
        - {name: NAME, value: store}
      readinessProbe:
        httpGet: {path: /healthz, port: 8080}
        periodSeconds: 1
---
apiVersion: v1
kind: Service
metadata:
  name: store
spec:
  selector: {app: store}
  ports:
    - {port: 80, targetPort: 8080}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: store
spec:
  podSelector:
    matchLabels: {app: store}
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels: {app: tick}
YAML
kubectl wait --for=condition=Ready pod/store --timeout=120s
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
      backoffLimit: 1
      template:
        metadata:
          labels: {app: tick}
        spec:
          restartPolicy: Never
          containers:
            - name: tick
              image: kubelab/toolbox:1.0
              command: [sh, -c, 'for _ in 1 2 3 4 5; do curl -fsS -m 2 http://store && exit 0; sleep 1; done; exit 1']
---
apiVersion: batch/v1
kind: Job
metadata:
  name: flaky
spec:
  backoffLimit: 1
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
