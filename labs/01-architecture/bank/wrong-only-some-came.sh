# 01.3 fail not-converged
# Four were asked for while nobody worked, and only one came later, for a quota refuses the others:
# `sleepy` has two of four. Two Pods that were set aside before are nobody's any more.
kubectl rollout status deployment/sleepy --timeout=90s
kubectl scale deployment/sleepy --replicas=3
kubectl rollout status deployment/sleepy --timeout=90s
pods=$(kubectl get pods -l app=sleepy -o jsonpath='{.items[0].metadata.name} {.items[1].metadata.name}')
# shellcheck disable=SC2086  # One word a Pod.
kubectl label pods $pods app=aside --overwrite
kubectl scale deployment/sleepy --replicas=1
sleep 8
for _ in $(seq 300); do
  [ "$(kubectl get pods -l app=sleepy -o name | wc -l)" -ne 1 ] || break
  sleep 0.2
done
kubectl rollout status deployment/sleepy --timeout=90s
there=$(kubectl get pods -o name | wc -l)
kubectl create quota tight --hard=pods=$((there + 1))
kubectl wait --for=jsonpath='{.status.hard.pods}'=$((there + 1)) resourcequota/tight --timeout=30s
lab without kube-controller-manager -- bash -c 'kubectl scale deployment/sleepy --replicas=4 && sleep 6'
kubectl wait --for=jsonpath='{.status.readyReplicas}'=2 deployment/sleepy --timeout=90s
