# pass
# 01.1: what right-words-beside-the-names says in English, in Chinese: only that one, on which node, in which program.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
holder=$(kubectl -n kube-system get lease kube-scheduler -o jsonpath='{.spec.holderIdentity}')
node=$(kubectl get nodes -l '!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[0].metadata.name}')
kubectl create configmap answers \
  --from-literal=store="只有 API 服务器" \
  --from-literal=scheduler="${holder%%_*} 上的调度器" \
  --from-literal=key="/registry/deployments/$namespace/sleepy" \
  --from-literal=owner="kube-controller-manager 里的 deployment-controller"
kubectl create --raw "/api/v1/namespaces/$namespace/pods/waiting/binding" -f - <<JSON
{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "waiting"},
 "target": {"apiVersion": "v1", "kind": "Node", "name": "$node"}}
JSON
kubectl wait --for=condition=Ready pod/waiting --timeout=90s
kubectl rollout status deployment/sleepy --timeout=90s
lab without kube-controller-manager -- bash -c 'kubectl scale deployment/sleepy --replicas=3 && sleep 6'
kubectl rollout status deployment/sleepy --timeout=90s
