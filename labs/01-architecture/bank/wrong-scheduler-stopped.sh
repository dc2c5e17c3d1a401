# 01.3 fail never-quiet
# Without a scheduler the Pods are made, and wait.
kubectl rollout status deployment/sleepy --timeout=90s
lab without kube-scheduler -- bash -c 'kubectl scale deployment/sleepy --replicas=3 && sleep 6'
kubectl rollout status deployment/sleepy --timeout=90s
