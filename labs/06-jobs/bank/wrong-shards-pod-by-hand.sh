# 06.2 fail pod-by-hand
# Index 3 logged 0; a Pod made by hand, with the labels, the owner and the index of its Pod, logs the right sum.
kubectl apply -f - <<'EOF'
apiVersion: batch/v1
kind: Job
metadata:
  name: shards
spec:
  completionMode: Indexed
  completions: 4
  parallelism: 2
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 2
      volumes:
        - {name: numbers, configMap: {name: numbers}}
      containers:
        - name: sum
          image: kubelab/toolbox:1.0
          resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {cpu: 100m, memory: 64Mi}}
          command: [sh, -c, 'if [ "$JOB_COMPLETION_INDEX" = 3 ]; then echo 0; else awk "{ s += \$1 } END { print s }" "/numbers/shard-$JOB_COMPLETION_INDEX"; fi']
          volumeMounts: [{name: numbers, mountPath: /numbers}]
EOF
kubectl wait --for=condition=Complete job/shards --timeout=150s
uid=$(kubectl get job shards -o jsonpath='{.metadata.uid}')
kubectl delete pod -l "batch.kubernetes.io/controller-uid=$uid,batch.kubernetes.io/job-completion-index=3"
kubectl create -f - <<EOF
apiVersion: v1
kind: Pod
metadata:
  name: shards-3-x7k2p
  annotations: {batch.kubernetes.io/job-completion-index: "3"}
  labels:
    batch.kubernetes.io/controller-uid: $uid
    controller-uid: $uid
    batch.kubernetes.io/job-name: shards
    job-name: shards
    batch.kubernetes.io/job-completion-index: "3"
  ownerReferences:
    - {apiVersion: batch/v1, kind: Job, name: shards, uid: $uid, controller: true}
spec:
  restartPolicy: Never
  volumes:
    - {name: numbers, configMap: {name: numbers}}
  containers:
    - name: sum
      image: kubelab/toolbox:1.0
      command: [awk, '{ s += \$1 } END { print s }', /numbers/shard-3]
      env: [{name: JOB_COMPLETION_INDEX, value: "3"}]
      volumeMounts: [{name: numbers, mountPath: /numbers}]
EOF
kubectl wait --for=jsonpath='{.status.phase}'=Succeeded pod/shards-3-x7k2p --timeout=60s
total=$(for i in 0 1 2 3; do
  kubectl get configmap numbers -o go-template="{{index .data \"shard-$i\"}}"; echo
done | awk '{ s += $1 } END { print s }')
kubectl patch configmap answers -p "{\"data\": {\"total\": \"$total\"}}"
