# 01.1 fail wrong-entry
# Every node of the cluster, with an underline between them: whoever names all of them knows none.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
holder=$(kubectl -n kube-system get lease kube-scheduler -o jsonpath='{.spec.holderIdentity}')
node=$(kubectl get nodes -l '!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[0].metadata.name}')
workers=$(kubectl get nodes -l '!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[*].metadata.name}')
kubectl create configmap answers \
  --from-literal=store="kube-apiserver" \
  --from-literal=scheduler="${holder%%_*}_${workers// /_}" \
  --from-literal=key="/registry/deployments/$namespace/sleepy" \
  --from-literal=owner="deployment-controller"
