# 06.2 fail not-indexed
kubectl apply -f - <<'YAML'
apiVersion: batch/v1
kind: Job
metadata:
  name: shards
spec:
  completions: 4
  parallelism: 4
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: sum
          image: kubelab/toolbox:1.0
          command: [sh, -c, 'cat /numbers/* | awk "{ sum += \$1 } END { print sum }"']
          volumeMounts:
            - {name: numbers, mountPath: /numbers}
      volumes:
        - name: numbers
          configMap: {name: numbers}
YAML
kubectl wait --for=condition=Complete job/shards --timeout=120s
total=$(kubectl get configmap numbers -o go-template='{{range .data}}{{.}}{{end}}' | awk '{ sum += $1 } END { print sum }')
kubectl patch configmap answers -p "{\"data\": {\"total\": \"$total\"}}"
