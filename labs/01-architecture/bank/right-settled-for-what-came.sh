# pass
# 01.3: four were asked for, none came for 7 s. Later a quota lets one more in and no other, and the
# learner makes two of the four, which is what there is: one more than before, and all of them ready.
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
there=$(kubectl get pods -o name | wc -l)
kubectl create quota tight --hard=pods=$((there + 1))
kubectl wait --for=jsonpath='{.status.hard.pods}'=$((there + 1)) resourcequota/tight --timeout=30s
lab without kube-controller-manager -- bash -c 'kubectl scale deployment/sleepy --replicas=4 && sleep 7'
kubectl wait --for=jsonpath='{.status.readyReplicas}'=2 deployment/sleepy --timeout=90s
sleep 4
kubectl scale deployment/sleepy --replicas=2
kubectl rollout status deployment/sleepy --timeout=90s
kubectl delete quota tight
