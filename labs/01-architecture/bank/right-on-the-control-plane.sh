# pass
# A Binding asks no scheduler, and the taint of the control plane's node keeps schedulers away alone.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
holder=$(kubectl -n kube-system get lease kube-scheduler -o jsonpath='{.spec.holderIdentity}')
kubectl apply -f - <<YAML
apiVersion: v1
kind: ConfigMap
metadata:
  name: answers
data:
  store: |
    API server
  scheduler: ${holder%%_*}
  key: registry/deployments/$namespace/sleepy
  owner: kube-system/deployment-controller
  note: found in the picture
YAML
kubectl create --raw "/api/v1/namespaces/$namespace/bindings" -f - <<JSON
{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "waiting", "namespace": "$namespace"},
 "target": {"apiVersion": "v1", "kind": "Node", "name": "${holder%%_*}"}}
JSON
kubectl wait --for=condition=Ready pod/waiting --timeout=60s
kubectl rollout status deployment/sleepy --timeout=90s
lab without controller-manager -- bash -c "kubectl patch deployment sleepy -p '{\"spec\": {\"replicas\": 4}}' && sleep 8"
kubectl rollout status deployment/sleepy --timeout=90s
