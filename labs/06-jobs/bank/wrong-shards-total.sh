# 06.2 fail wrong-total
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
kubectl patch configmap answers -p '{"data": {"total": "4711"}}'
