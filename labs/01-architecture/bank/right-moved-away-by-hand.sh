# pass
# The manifest is moved on the node itself, and everything is put back with `lab mend`.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
holder=$(kubectl -n kube-system get lease kube-scheduler -o jsonpath='{.spec.holderIdentity}')
kubectl create configmap answers \
  --from-literal=store="Kube-APIServer-${holder%%_*}" \
  --from-literal=scheduler="${holder%%_*}_some-other-suffix" \
  --from-literal=key="/registry/deployments/$namespace/sleepy" \
  --from-literal=owner="system:serviceaccount:kube-system:Deployment-Controller"
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
node=$(kubectl get nodes -l '!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[0].metadata.name}')
kubectl create --raw "/api/v1/namespaces/$namespace/pods/waiting/binding" -f - <<JSON
{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "waiting"},
 "target": {"apiVersion": "v1", "kind": "Node", "name": "$node"}}
JSON
kubectl wait --for=condition=Ready pod/waiting --timeout=60s
kubectl rollout status deployment/sleepy --timeout=90s
docker exec "${holder%%_*}" mv /etc/kubernetes/manifests/kube-controller-manager.yaml /root/
sleep 2
kubectl scale deployment/sleepy --replicas=4
sleep 7
lab mend
kubectl rollout status deployment/sleepy --timeout=90s
