# 01.2 fail image-unavailable
# Bound as asked; then its image was changed for one that does not exist.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
node=$(kubectl get nodes -l '!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[0].metadata.name}')
kubectl create --raw "/api/v1/namespaces/$namespace/pods/waiting/binding" -f - <<JSON
{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "waiting"},
 "target": {"apiVersion": "v1", "kind": "Node", "name": "$node"}}
JSON
kubectl wait --for=condition=Ready pod/waiting --timeout=60s
kubectl set image pod/waiting '*=kubelab/web:9.9'
kubectl wait --for=condition=Ready=False pod/waiting --timeout=60s
