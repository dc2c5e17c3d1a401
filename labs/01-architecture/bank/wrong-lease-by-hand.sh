# 01.1 fail wrong-entry
# No scheduler runs on a worker. The learner wrote the worker's name into the Lease, for as long as it
# lasts: the scheduler ends after ten seconds, starts again, and takes its Lease back.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
holder=$(kubectl -n kube-system get lease kube-scheduler -o jsonpath='{.spec.holderIdentity}')
node=$(kubectl get nodes -l '!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[0].metadata.name}')
kubectl -n kube-system patch lease kube-scheduler --type=merge \
  -p "{\"spec\": {\"holderIdentity\": \"${node}_by-hand\"}}"
kubectl create configmap answers \
  --from-literal=store="kube-apiserver" \
  --from-literal=scheduler="$node" \
  --from-literal=key="/registry/deployments/$namespace/sleepy" \
  --from-literal=owner="deployment-controller"
