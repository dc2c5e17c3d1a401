# pass
# 01.2: the learner's own scheduler, a Pod in kube-system with a ServiceAccount there, as "Configure
# Multiple Schedulers" in the Kubernetes documentation has it. It is no component of the cluster.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
holder=$(kubectl -n kube-system get lease kube-scheduler -o jsonpath='{.spec.holderIdentity}')
node=$(kubectl get nodes -l '!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[0].metadata.name}')
kubectl create configmap answers \
  --from-literal=store="kube-apiserver" \
  --from-literal=scheduler="${holder%%_*}" \
  --from-literal=key="/registry/deployments/$namespace/sleepy" \
  --from-literal=owner="deployment-controller"
uid=$(kubectl get namespace "$namespace" -o jsonpath='{.metadata.uid}')
kubectl create role by-hand --verb=create --resource=pods/binding
kubectl create rolebinding by-hand --role=by-hand --serviceaccount="kube-system:by-hand-$namespace"
# They go with the namespace of the lab, which owns them.
kubectl apply -f - <<YAML
apiVersion: v1
kind: ServiceAccount
metadata:
  name: by-hand-$namespace
  namespace: kube-system
  ownerReferences: [{apiVersion: v1, kind: Namespace, name: $namespace, uid: $uid}]
---
apiVersion: v1
kind: Pod
metadata:
  name: by-hand-$namespace
  namespace: kube-system
  ownerReferences: [{apiVersion: v1, kind: Namespace, name: $namespace, uid: $uid}]
spec:
  serviceAccountName: by-hand-$namespace
  restartPolicy: OnFailure
  containers:
    - name: scheduler
      image: kubelab/toolbox:1.0
      command: ["sh", "-c"]
      args:
        - |
          here=/var/run/secrets/kubernetes.io/serviceaccount
          curl -sS --fail-with-body --cacert \$here/ca.crt -H "Authorization: Bearer \$(cat \$here/token)" \
            -H 'Content-Type: application/json' -X POST \
            -d '{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "waiting"}, "target": {"apiVersion": "v1", "kind": "Node", "name": "$node"}}' \
            https://kubernetes.default.svc/api/v1/namespaces/$namespace/pods/waiting/binding
YAML
kubectl wait --for=condition=Ready pod/waiting --timeout=90s
kubectl rollout status deployment/sleepy --timeout=90s
lab without kube-controller-manager -- bash -c 'kubectl scale deployment/sleepy --replicas=3 && sleep 6'
kubectl rollout status deployment/sleepy --timeout=90s
