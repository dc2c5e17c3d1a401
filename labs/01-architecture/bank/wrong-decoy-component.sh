# 01.1 fail wrong-entry
# A Pod that never runs claims, by label and flag, that the kubelet talks to etcd.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
holder=$(kubectl -n kube-system get lease kube-scheduler -o jsonpath='{.spec.holderIdentity}')
node=$(kubectl get nodes -l '!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[0].metadata.name}')
uid=$(kubectl get namespace "$namespace" -o jsonpath='{.metadata.uid}')
# It goes with the namespace of the lab, which owns it, and sooner, for its node does not exist.
kubectl apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata:
  name: kubelet-$namespace
  namespace: kube-system
  labels: {tier: control-plane, component: kubelet}
  ownerReferences: [{apiVersion: v1, kind: Namespace, name: $namespace, uid: $uid}]
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
