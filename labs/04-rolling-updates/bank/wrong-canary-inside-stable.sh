# 04.4 fail not-found
# One Pod of 2.1 by a rollout that stopped half way.
kubectl set image deployment/shop-stable web=kubelab/web:2.1
kubectl rollout pause deployment/shop-stable
sleep 8
