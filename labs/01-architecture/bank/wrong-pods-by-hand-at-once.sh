# 01.3 fail never-quiet
# One `apply` asks for a second Pod and makes it by hand in the same second; the ReplicaSet adopts it
# when it is back. Afterwards the older Pod is replaced. No Pod that was asked for was ever missing.
kubectl rollout status deployment/sleepy --timeout=90s
kubectl get deployment/sleepy -o json >/tmp/sleepy-$$.deployment
kubectl get pods -l app=sleepy -o json >/tmp/sleepy-$$.pods
python3 - /tmp/sleepy-$$.deployment /tmp/sleepy-$$.pods >/tmp/sleepy-$$.json <<'PY'
import json, sys
deployment, pods = (json.load(open(file)) for file in sys.argv[1:])
meta = {key: deployment['metadata'][key] for key in ('name', 'labels')}
deployment = {'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': meta, 'spec': deployment['spec'] | {'replicas': 2}}
pod = pods['items'][0]
spec = {key: one for key, one in pod['spec'].items() if key in ('containers', 'terminationGracePeriodSeconds')}
for one in spec['containers']:
    one['volumeMounts'] = []
meta = {'name': 'sleepy-by-hand', 'labels': pod['metadata']['labels']}
pod = {'apiVersion': 'v1', 'kind': 'Pod', 'metadata': meta, 'spec': spec}
print(json.dumps({'apiVersion': 'v1', 'kind': 'List', 'items': [deployment, pod]}))
PY
sleep 2
lab without kube-controller-manager -- bash -c "kubectl apply -f /tmp/sleepy-$$.json && sleep 7"
kubectl wait --for=jsonpath='{.status.readyReplicas}'=2 deployment/sleepy --timeout=90s
older=$(kubectl get pods -l app=sleepy --sort-by=.metadata.creationTimestamp -o jsonpath='{.items[0].metadata.name}')
kubectl delete pod "$older"
kubectl rollout status deployment/sleepy --timeout=90s
rm -f /tmp/sleepy-$$.*
