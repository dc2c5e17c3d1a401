# 01.3: more Pods are asked for while nobody is there who makes them.
kubectl rollout status deployment/sleepy --timeout=150s
more=$(($(kubectl get deployment sleepy -o jsonpath='{.spec.replicas}') + 1))
lab without kube-controller-manager -- bash -c "kubectl scale deployment/sleepy --replicas=$more && sleep 6"
kubectl rollout status deployment/sleepy --timeout=150s
