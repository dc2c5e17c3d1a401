# 01.3 fail not-seen
# Nothing was ever stopped: an autoscaler raises the number to its least, some seconds after it was made.
# The label before is the only thing of the Deployment that a person has written.
kubectl rollout status deployment/sleepy --timeout=90s
kubectl label deployment sleepy looked-after=no
kubectl apply -f - <<YAML
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: sleepy}
spec:
  minReplicas: 3
  maxReplicas: 5
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: sleepy}
  metrics: [{type: Resource, resource: {name: memory, target: {type: Utilization, averageUtilization: 90}}}]
YAML
kubectl wait --for=jsonpath='{.spec.replicas}'=3 deployment/sleepy --timeout=90s
kubectl rollout status deployment/sleepy --timeout=90s
