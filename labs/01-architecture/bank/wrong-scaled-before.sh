# 01.3 fail never-quiet
# First the Pods, then the pause.
kubectl rollout status deployment/sleepy --timeout=90s
kubectl scale deployment/sleepy --replicas=3
kubectl rollout status deployment/sleepy --timeout=90s
kubectl rollout status deployment/sleepy --timeout=90s
lab without kube-controller-manager -- bash -c 'sleep 6'
kubectl rollout status deployment/sleepy --timeout=90s
