# 01.3 fail never-quiet
# No Pod comes, for the quota refuses it; the controllers are at work all the time.
kubectl rollout status deployment/sleepy --timeout=90s
kubectl create quota tight --hard=pods=1
kubectl scale deployment/sleepy --replicas=3
sleep 7
kubectl delete quota tight
kubectl rollout restart deployment/sleepy
kubectl rollout status deployment/sleepy --timeout=90s
