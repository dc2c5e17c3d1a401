# 01.3 fail not-seen
# Told to have none and then one again while nobody worked: never more Pods than the one that was
# there all the time. Later that one is replaced, and the new one gets ready.
kubectl rollout status deployment/sleepy --timeout=90s
lab without kube-controller-manager -- bash -c '
  kubectl scale deployment/sleepy --replicas=0 && sleep 1
  kubectl scale deployment/sleepy --replicas=1 && sleep 6'
generation=$(kubectl get deployment sleepy -o jsonpath='{.metadata.generation}')
kubectl wait --for=jsonpath='{.status.observedGeneration}'="$generation" deployment/sleepy --timeout=90s
kubectl rollout status deployment/sleepy --timeout=90s
kubectl delete pod -l app=sleepy
kubectl rollout status deployment/sleepy --timeout=90s
