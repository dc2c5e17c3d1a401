# 01.3 fail not-converged
# The wish was taken back while nobody worked. Later, with everybody at work, the same number is asked
# for once more and comes at once: no wish has waited for anybody and then come true.
kubectl rollout status deployment/sleepy --timeout=90s
lab without kube-controller-manager -- bash -c '
  kubectl scale deployment/sleepy --replicas=3 && sleep 6
  kubectl scale deployment/sleepy --replicas=1'
generation=$(kubectl get deployment sleepy -o jsonpath='{.metadata.generation}')
kubectl wait --for=jsonpath='{.status.observedGeneration}'="$generation" deployment/sleepy --timeout=90s
kubectl rollout status deployment/sleepy --timeout=90s
sleep 3
kubectl scale deployment/sleepy --replicas=3
kubectl rollout status deployment/sleepy --timeout=90s
