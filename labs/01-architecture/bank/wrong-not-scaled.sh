# 01.3 fail not-seen
kubectl rollout status deployment/sleepy --timeout=90s
lab without kube-controller-manager -- bash -c 'sleep 6'
