# 01.3 fail not-converged
# The wish was taken back before anybody could fulfil it.
kubectl rollout status deployment/sleepy --timeout=90s
lab without kube-controller-manager -- bash -c 'kubectl scale deployment/sleepy --replicas=3 && sleep 6 && kubectl scale deployment/sleepy --replicas=1'
kubectl rollout status deployment/sleepy --timeout=90s
