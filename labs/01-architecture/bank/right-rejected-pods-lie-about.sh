# pass
# 01.3: an experiment before the task went wrong: a template that names a node and asks for another
# kind of node. The kubelet rejects Pod after Pod; they have failed, and stay as objects when the
# template is put right. `sleepy` has one Pod, is told to have three, gets none for 6 s, and both later.
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
kubectl patch deployment sleepy -p "{\"spec\": {\"template\": {\"spec\": {
  \"nodeName\": \"$node\", \"nodeSelector\": {\"disk\": \"no-such-disk\"}}}}}"
for _ in $(seq 300); do
  failed=$(kubectl get pods -l app=sleepy --field-selector=status.phase=Failed -o name | wc -l)
  [ "$failed" -lt 3 ] || break
  sleep 0.1
done
kubectl rollout undo deployment/sleepy
kubectl rollout status deployment/sleepy --timeout=90s
sleep 3
kubectl rollout status deployment/sleepy --timeout=90s
lab without kube-controller-manager -- bash -c 'kubectl scale deployment/sleepy --replicas=3 && sleep 6'
kubectl rollout status deployment/sleepy --timeout=90s
