# 01.3 fail not-seen
# Fewer Pods are not what was asked for.
kubectl rollout status deployment/sleepy --timeout=90s
lab without kube-controller-manager -- bash -c 'kubectl scale deployment/sleepy --replicas=0 && sleep 6'
