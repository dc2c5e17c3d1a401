# 01.3 fail never-quiet
kubectl rollout status deployment/sleepy --timeout=90s
kubectl scale deployment/sleepy --replicas=3
kubectl rollout status deployment/sleepy --timeout=90s
