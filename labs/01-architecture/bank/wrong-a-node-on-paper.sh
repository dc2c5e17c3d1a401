# 01.2 fail not-ready
# Bound to a Node that is an object and no machine, so nothing runs. The Pod's status was written by hand, in
# the name of the kubelet.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
uid=$(kubectl get namespace "$namespace" -o jsonpath='{.metadata.uid}')
# It goes with the namespace of the lab, which owns it.
kubectl apply -f - <<YAML
apiVersion: v1
kind: Node
metadata:
  name: paper-$namespace
  ownerReferences: [{apiVersion: v1, kind: Namespace, name: $namespace, uid: $uid}]
YAML
kubectl create --raw "/api/v1/namespaces/$namespace/pods/waiting/binding" -f - <<JSON
{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "waiting"},
 "target": {"apiVersion": "v1", "kind": "Node", "name": "paper-$namespace"}}
JSON
since=$(date -u -d '-1 minute' +%Y-%m-%dT%H:%M:%SZ)
kubectl patch pod waiting --subresource=status --field-manager=kubelet --type=merge -p "{\"status\": {
  \"phase\": \"Running\", \"startTime\": \"$since\",
  \"conditions\": [
    {\"type\": \"PodScheduled\", \"status\": \"True\", \"lastTransitionTime\": \"$since\"},
    {\"type\": \"Initialized\", \"status\": \"True\", \"lastTransitionTime\": \"$since\"},
    {\"type\": \"ContainersReady\", \"status\": \"True\", \"lastTransitionTime\": \"$since\"},
    {\"type\": \"Ready\", \"status\": \"True\", \"lastTransitionTime\": \"$since\"}],
  \"containerStatuses\": [{\"name\": \"web\", \"image\": \"docker.io/kubelab/web:1.0\", \"imageID\": \"sha256:0\",
    \"ready\": true, \"started\": true, \"restartCount\": 0, \"state\": {\"running\": {\"startedAt\": \"$since\"}}}]}}"
