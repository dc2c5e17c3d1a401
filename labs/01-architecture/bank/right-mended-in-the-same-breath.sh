# pass
# 01.3: a release with an image that does not exist hangs: one Pod works, and one waits for its image.
# While nobody works the learner puts the image right and asks for two Pods in place of one. None
# comes for 7 s, and later there are two that work.
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
kubectl set image deployment/sleepy '*=kubelab/web:9.9'
for _ in $(seq 300); do
  [ "$(kubectl get pods -l app=sleepy -o name | wc -l)" -lt 2 ] || break
  sleep 0.2
done
sleep 3
lab without kube-controller-manager -- bash -c 'kubectl patch deployment sleepy -p "
  {\"spec\": {\"replicas\": 2, \"template\": {\"spec\": {\"containers\": [
    {\"name\": \"web\", \"image\": \"kubelab/web:1.0\"}]}}}}" && sleep 7'
kubectl rollout status deployment/sleepy --timeout=90s
