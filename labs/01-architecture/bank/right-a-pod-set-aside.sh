# pass
# 01.3: one Pod was set aside before, by another label, to be looked at; its ReplicaSet has let it go
# and made another one. `sleepy` has one Pod, is told to have two, gets none for 6 s, and one later.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
holder=$(kubectl -n kube-system get lease kube-scheduler -o jsonpath='{.spec.holderIdentity}')
node=$(kubectl get nodes -l '!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[0].metadata.name}')
kubectl create configmap answers \
  --from-literal=store="kube-apiserver" \
  --from-literal=scheduler="${holder%%_*}" \
  --from-literal=key="/registry/deployments/$namespace/sleepy" \
  --from-literal=owner="deployment-controller"
kubectl create --raw "/api/v1/namespaces/$namespace/pods/waiting/binding" -f - <<JSON
{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "waiting"},
 "target": {"apiVersion": "v1", "kind": "Node", "name": "$node"}}
JSON
kubectl wait --for=condition=Ready pod/waiting --timeout=60s
kubectl rollout status deployment/sleepy --timeout=90s
pod=$(kubectl get pods -l app=sleepy -o jsonpath='{.items[0].metadata.name}')
kubectl label pod "$pod" app=aside --overwrite
kubectl wait --for=condition=Ready pods -l app=aside --timeout=60s
for _ in $(seq 300); do
  [ -z "$(kubectl get pods -l app=sleepy -o name)" ] || break
  sleep 0.2
done
kubectl wait --for=condition=Ready pods -l app=sleepy --timeout=60s
sleep 3
lab without kube-controller-manager -- bash -c 'kubectl scale deployment/sleepy --replicas=2 && sleep 6'
kubectl rollout status deployment/sleepy --timeout=90s
