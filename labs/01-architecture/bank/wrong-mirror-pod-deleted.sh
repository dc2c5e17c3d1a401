# 01.3 fail never-quiet
# `kubectl delete` of a static Pod removes what the API shows of it; the process goes on.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
holder=$(kubectl -n kube-system get lease kube-scheduler -o jsonpath='{.spec.holderIdentity}')
kubectl rollout status deployment/sleepy --timeout=90s
kubectl -n kube-system delete pod "kube-controller-manager-${holder%%_*}"
kubectl scale deployment/sleepy --replicas=3 && sleep 7
kubectl rollout status deployment/sleepy --timeout=90s
