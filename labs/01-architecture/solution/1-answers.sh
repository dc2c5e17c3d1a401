# 01.1: who talks to etcd, who schedules, where sleepy is kept, who made its ReplicaSet.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
holder=$(kubectl -n kube-system get lease kube-scheduler -o jsonpath='{.spec.holderIdentity}')
kubectl create configmap answers --dry-run=client -o yaml \
  --from-literal=store=kube-apiserver \
  --from-literal=scheduler="${holder%%_*}" \
  --from-literal=key="/registry/deployments/$namespace/sleepy" \
  --from-literal=owner=system:serviceaccount:kube-system:deployment-controller |
  kubectl apply -f -
