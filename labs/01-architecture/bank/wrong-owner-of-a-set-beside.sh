# 01.1 fail wrong-entry
# An empty ReplicaSet with fitting labels, made by hand and adopted by `sleepy`: who made that one
# did not create the ReplicaSet that `sleepy` runs on.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
holder=$(kubectl -n kube-system get lease kube-scheduler -o jsonpath='{.spec.holderIdentity}')
node=$(kubectl get nodes -l '!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[0].metadata.name}')
kubectl rollout status deployment/sleepy --timeout=90s
kubectl apply -f - <<YAML
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: beside
  labels: {app: sleepy, pod-template-hash: beside}
spec:
  replicas: 0
  selector:
    matchLabels: {app: sleepy, pod-template-hash: beside}
  template:
    metadata:
      labels: {app: sleepy, pod-template-hash: beside}
    spec:
      containers:
        - name: web
          image: kubelab/web:2.0
YAML
kubectl wait --for=jsonpath='{.metadata.ownerReferences[0].name}'=sleepy replicaset/beside --timeout=60s
kubectl create configmap answers \
  --from-literal=store="kube-apiserver" \
  --from-literal=scheduler="${holder%%_*}" \
  --from-literal=key="/registry/deployments/$namespace/sleepy" \
  --from-literal=owner="kubernetes-admin"
