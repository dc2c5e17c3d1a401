# 01.2 fail not-found
# The API takes the name of any node. No kubelet starts the Pod, and the garbage collector removes it.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
kubectl create --raw "/api/v1/namespaces/$namespace/pods/waiting/binding" -f - <<JSON
{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "waiting"},
 "target": {"apiVersion": "v1", "kind": "Node", "name": "worker-9"}}
JSON
kubectl wait --for=delete pod/waiting --timeout=120s
