# 01.3 fail never-quiet
# The Pods are made by hand while no controller is there; the ReplicaSet adopts them afterwards.
kubectl rollout status deployment/sleepy --timeout=90s
kubectl get pods -l app=sleepy -o json >/tmp/sleepy-$$.json
lab without kube-controller-manager -- bash -c "
  kubectl scale deployment/sleepy --replicas=2 && sleep 2 &&
  python3 - /tmp/sleepy-$$.json <<'PY' | kubectl create -f - && sleep 6
import json, sys
pod = json.load(open(sys.argv[1]))['items'][0]
meta = {'name': 'sleepy-by-hand', 'labels': pod['metadata']['labels']}
spec = {key: one for key, one in pod['spec'].items() if key in ('containers', 'terminationGracePeriodSeconds')}
for one in spec['containers']:
    one['volumeMounts'] = []
print(json.dumps({'apiVersion': 'v1', 'kind': 'Pod', 'metadata': meta, 'spec': spec}))
PY
"
rm -f /tmp/sleepy-$$*.json
kubectl rollout status deployment/sleepy --timeout=90s
