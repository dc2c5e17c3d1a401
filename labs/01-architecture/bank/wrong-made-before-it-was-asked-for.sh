# 01.3 fail never-quiet
# While no controller is there the second Pod is made by hand, as one of the ReplicaSet's own. Then two
# are asked for, and two are there already: none comes afterwards.
kubectl rollout status deployment/sleepy --timeout=90s
set=$(kubectl get replicasets -l app=sleepy -o jsonpath='{.items[0].metadata.name}')
kubectl get pods -l app=sleepy -o json >/tmp/sleepy-$$.pods
python3 - /tmp/sleepy-$$.pods >/tmp/sleepy-$$.json <<'PY'
import json, sys
pod = json.load(open(sys.argv[1]))['items'][0]
meta = {'name': 'sleepy-by-hand', 'labels': pod['metadata']['labels'], 'ownerReferences': pod['metadata']['ownerReferences']}
spec = {key: one for key, one in pod['spec'].items() if key in ('containers', 'terminationGracePeriodSeconds')}
for one in spec['containers']:
    one['volumeMounts'] = []
print(json.dumps({'apiVersion': 'v1', 'kind': 'Pod', 'metadata': meta, 'spec': spec}))
PY
sleep 2
lab without kube-controller-manager -- bash -c "
  kubectl create -f /tmp/sleepy-$$.json && kubectl wait --for=condition=Ready pod/sleepy-by-hand --timeout=60s &&
  kubectl scale replicaset/$set --replicas=2 && sleep 2 &&
  kubectl scale deployment/sleepy --replicas=2 && sleep 7"
kubectl rollout status deployment/sleepy --timeout=90s
rm -f /tmp/sleepy-$$.*
