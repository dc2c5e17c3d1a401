# 01.2 fail no-such-node
# A node's name in the API is whole: what stands before it is a part of another name.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
node=$(kubectl get nodes -l '!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[0].metadata.name}')
kubectl create -f - <<YAML
apiVersion: v1
kind: Binding
metadata: {name: waiting}
target: {apiVersion: v1, kind: Node, name: "node-$node"}
YAML
