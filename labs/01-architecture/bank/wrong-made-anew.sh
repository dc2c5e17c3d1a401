# 01.3 fail not-seen
# The record of another Deployment does not count.
kubectl rollout status deployment/sleepy --timeout=90s
lab without kube-controller-manager -- bash -c 'kubectl scale deployment/sleepy --replicas=3 && sleep 6'
kubectl rollout status deployment/sleepy --timeout=90s
kubectl get deployment sleepy -o yaml | grep -v -E '^  (uid|resourceVersion|creationTimestamp):' >/tmp/sleepy-$$.yaml
kubectl delete deployment sleepy --cascade=foreground
kubectl create -f /tmp/sleepy-$$.yaml
rm /tmp/sleepy-$$.yaml
kubectl rollout status deployment/sleepy --timeout=90s
