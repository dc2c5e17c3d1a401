# 01.2 fail no-such-node
# The Binding names a node that does not exist, and is checked at once: nothing moves, and nothing will
# but the garbage collector, in a minute.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
node=$(kubectl get nodes -l '!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[0].metadata.name}')
kubectl create --raw "/api/v1/namespaces/$namespace/pods/waiting/binding" -f - <<JSON
{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "waiting"},
 "target": {"apiVersion": "v1", "kind": "Node", "name": "${node}x"}}
JSON
