# 02.3 fail crash-loop
# The server is ended after 45 s, again and again: longer than what the check waits at first.
kubectl patch deployment broken --type=json -p '[{"op": "add", "path": "/spec/template/spec/containers/0/env", "value": [{"name": "NAME", "value": "shop"}]},
  {"op": "replace", "path": "/spec/template/spec/containers/0/args", "value": ["exec timeout 45 python3 /app/app.py"]}]'
kubectl rollout status deployment/broken --timeout=90s
HASH=$(kubectl get replicasets -l app=broken --sort-by=.metadata.creationTimestamp -o jsonpath='{.items[-1:].metadata.labels.pod-template-hash}')
kubectl wait --for=jsonpath='{.status.containerStatuses[0].restartCount}'=1 pod -l "app=broken,pod-template-hash=$HASH" --timeout=100s
