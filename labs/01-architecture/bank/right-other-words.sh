# pass
# Other words for the same; the Binding is made as an object of its own, on the control plane.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
holder=$(kubectl -n kube-system get lease kube-scheduler -o jsonpath='{.spec.holderIdentity}')
kubectl create configmap answers \
  --from-literal=store="API server" \
  --from-literal=scheduler="$holder" \
  --from-literal=key="registry/deployments/$namespace/sleepy/" \
  --from-literal=owner="the Deployment controller"
kubectl create -f - <<YAML
apiVersion: v1
kind: Binding
metadata: {name: waiting}
target: {apiVersion: v1, kind: Node, name: "${holder%%_*}"}
YAML
kubectl wait --for=condition=Ready pod/waiting --timeout=60s
kubectl rollout status deployment/sleepy --timeout=90s
lab without kube-controller-manager -- bash -c 'kubectl patch deployment sleepy --type=merge -p "{\"spec\": {\"replicas\": 2}}" && sleep 6'
kubectl rollout status deployment/sleepy --timeout=90s
