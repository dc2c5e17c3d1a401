# 01.1 fail wrong-entry
# A Pod that never runs claims that the kubelet talks to etcd, and bears the marks of a static Pod's mirror: the
# annotation, and a node as its owner. No kubelet keeps it, for its node does not exist (so it goes in a minute).
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
holder=$(kubectl -n kube-system get lease kube-scheduler -o jsonpath='{.spec.holderIdentity}')
node=$(kubectl get nodes -l '!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[0].metadata.name}')
owner=$(kubectl get node "$node" -o jsonpath='{.metadata.uid}')
kubectl apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata:
  name: kubelet-$namespace
  namespace: kube-system
  labels: {tier: control-plane, component: kubelet}
  annotations: {kubernetes.io/config.mirror: by-hand}
  ownerReferences: [{apiVersion: v1, kind: Node, name: $node, uid: $owner, controller: true}]
spec:
  nodeName: nowhere
  containers:
    - name: kubelet
      image: kubelab/toolbox:1.0
      command: [kubelet, "--etcd-servers=https://127.0.0.1:2379"]
YAML
kubectl create configmap answers \
  --from-literal=store="kubelet" \
  --from-literal=scheduler="${holder%%_*}" \
  --from-literal=key="/registry/deployments/$namespace/sleepy" \
  --from-literal=owner="deployment-controller"
