# 01.2: what a scheduler writes when it has made up its mind. A second run finds the Pod placed.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
node=$(kubectl get nodes -l '!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[0].metadata.name}')
if [ -z "$(kubectl get pod waiting -o jsonpath='{.spec.nodeName}')" ]; then
  kubectl create --raw "/api/v1/namespaces/$namespace/pods/waiting/binding" -f - <<JSON
{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "waiting"},
 "target": {"apiVersion": "v1", "kind": "Node", "name": "$node"}}
JSON
fi
kubectl wait --for=condition=Ready pod/waiting --timeout=150s
