# pass
# 01.2: the learner's own scheduler is a loop that never looks whether its Pod has a node by now. Its
# first Binding is taken; 2300 more are refused (409). What was done before is no less done: the
# ReplicaSet was made by who made it, and the Binding was the learner's.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
holder=$(kubectl -n kube-system get lease kube-scheduler -o jsonpath='{.spec.holderIdentity}')
node=$(kubectl get nodes -l '!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[0].metadata.name}')
kubectl create configmap answers \
  --from-literal=store="kube-apiserver" \
  --from-literal=scheduler="${holder%%_*}" \
  --from-literal=key="/registry/deployments/$namespace/sleepy" \
  --from-literal=owner="deployment-controller"
kubectl create serviceaccount by-hand
kubectl create role by-hand --verb=create --resource=pods/binding
kubectl create rolebinding by-hand --role=by-hand --serviceaccount="$namespace:by-hand"
kubectl apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata:
  name: by-hand
spec:
  serviceAccountName: by-hand
  restartPolicy: OnFailure
  containers:
    - name: scheduler
      image: kubelab/toolbox:1.0
      command: ["sh", "-c"]
      args:
        - |
          here=/var/run/secrets/kubernetes.io/serviceaccount
          url=https://kubernetes.default.svc/api/v1/namespaces/$namespace/pods/waiting/binding
          try() {
            curl -s "\$@" -o /dev/null --cacert \$here/ca.crt -H "Authorization: Bearer \$(cat \$here/token)" \
              -H 'Content-Type: application/json' -X POST \
              -d '{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "waiting"}, "target": {"apiVersion": "v1", "kind": "Node", "name": "$node"}}'
          }
          until try --fail "\$url"; do sleep 1; done
          try "\$url?again=[1-2300]"
YAML
kubectl wait --for=condition=Ready pod/waiting --timeout=90s
kubectl wait --for=jsonpath='{.status.phase}'=Succeeded pod/by-hand --timeout=270s
kubectl rollout status deployment/sleepy --timeout=90s
lab without kube-controller-manager -- bash -c 'kubectl scale deployment/sleepy --replicas=3 && sleep 6'
kubectl rollout status deployment/sleepy --timeout=90s
