# pass
# 01.2: the learner posts the Binding with kubectl on the control plane's node, with the kubeconfig that lies there for the scheduler. The scheduler itself has done nothing.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
holder=$(kubectl -n kube-system get lease kube-scheduler -o jsonpath='{.spec.holderIdentity}')
node=$(kubectl get nodes -l '!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[0].metadata.name}')
kubectl create configmap answers \
  --from-literal=store="kube-apiserver" \
  --from-literal=scheduler="${holder%%_*}" \
  --from-literal=key="/registry/deployments/$namespace/sleepy" \
  --from-literal=owner="deployment-controller"
docker exec -i "${holder%%_*}" kubectl --kubeconfig /etc/kubernetes/scheduler.conf \
  create --raw "/api/v1/namespaces/$namespace/pods/waiting/binding" -f - <<JSON
{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "waiting"},
 "target": {"apiVersion": "v1", "kind": "Node", "name": "$node"}}
JSON
kubectl wait --for=condition=Ready pod/waiting --timeout=90s
kubectl rollout status deployment/sleepy --timeout=90s
lab without kube-controller-manager -- bash -c 'kubectl scale deployment/sleepy --replicas=3 && sleep 6'
kubectl rollout status deployment/sleepy --timeout=90s
