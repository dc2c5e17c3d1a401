# pass
# 06.2: a Pod of the Job is labelled, replaced and applied by hand after its end; the Job made it all the same.
kubectl create cronjob tick --image=kubelab/toolbox:1.0 --schedule='0-59 * * * *' --dry-run=client -o json -- sh -c 'date; sleep 2' |
  kubectl patch --local -f - --type=merge -o yaml -p '{"spec": {"concurrencyPolicy": "Forbid", "successfulJobsHistoryLimit": 2}}' |
  kubectl create -f -
kubectl create -f - <<'YAML'
apiVersion: batch/v1
kind: Job
metadata:
  name: pi
spec:
  completions: 6
  parallelism: 3
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: pi
          image: kubelab/toolbox:1.0
          command: [sh, -c, 'sleep 5; echo 3.14159']
YAML
kubectl get job flaky -o json | python3 -c '
import json, sys
job = json.load(sys.stdin)
spec = job["spec"]
spec.pop("selector")
spec.pop("podReplacementPolicy")
spec["template"].pop("metadata", None)
rules = [("Ignore", 75), ("FailJob", 3)]
spec["podFailurePolicy"] = {"rules": [
    {"action": action, "onExitCodes": {"operator": "In", "values": [code]}} for action, code in rules
]}
job["metadata"] = {"name": "flaky"}
print(json.dumps(job))
' > /tmp/flaky.$$
kubectl delete job flaky
kubectl create -f /tmp/flaky.$$
rm /tmp/flaky.$$
kubectl patch job pi -p '{"spec": {"suspend": false}}'
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
pod=$(kubectl get pods -l job-name=shards -o json | python3 -c '
import json, sys
print(next(p["metadata"]["name"] for p in json.load(sys.stdin)["items"] if "deletionTimestamp" not in p["metadata"]))
')
kubectl label pod "$pod" seen=yes
kubectl get pod "$pod" -o json | kubectl replace -f -
kubectl get pod "$pod" -o json --show-managed-fields=false | python3 -c '
import json, sys
pod = json.load(sys.stdin)
pod["metadata"] = {k: v for k, v in pod["metadata"].items() if k not in ("managedFields", "resourceVersion")}
pod.pop("status")
print(json.dumps(pod))
' |
  kubectl apply --server-side --force-conflicts -f -
total=$(kubectl get configmap numbers -o go-template='{{range .data}}{{.}}{{end}}' | awk '{ sum += $1 } END { print sum }')
kubectl patch configmap answers -p "{\"data\": {\"total\": \"$total\"}}"
