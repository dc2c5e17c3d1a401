# 01.3 fail not-seen
# One Pod before, one Pod wanted after: told to have none and then one again, and the one that was there
# was deleted by hand meanwhile. What comes later is its replacement, and not one more.
kubectl rollout status deployment/sleepy --timeout=90s
sleep 2
lab without kube-controller-manager -- bash -c '
  kubectl scale deployment/sleepy --replicas=0
  kubectl delete pod -l app=sleepy
  kubectl scale deployment/sleepy --replicas=1 && sleep 6'
generation=$(kubectl get deployment sleepy -o jsonpath='{.metadata.generation}')
kubectl wait --for=jsonpath='{.status.observedGeneration}'="$generation" deployment/sleepy --timeout=90s
kubectl rollout status deployment/sleepy --timeout=90s
