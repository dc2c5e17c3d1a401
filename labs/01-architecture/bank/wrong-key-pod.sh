# 01.1 fail wrong-entry
pod=$(kubectl get pods -l app=sleepy -o jsonpath='{.items[0].metadata.name}')
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
holder=$(kubectl -n kube-system get lease kube-scheduler -o jsonpath='{.spec.holderIdentity}')
kubectl create configmap answers \
  --from-literal=store="kube-apiserver" \
  --from-literal=scheduler="${holder%%_*}" \
  --from-literal=key="/registry/pods/$namespace/$pod" \
  --from-literal=owner="deployment-controller"
