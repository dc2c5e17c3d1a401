# 01.3 fail never-quiet
# Nothing was ever stopped: three were asked for, and three came at once. Then a Pod asks for things
# that it may not do, 2100 times, until the record has no room for what the controllers did before.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
kubectl rollout status deployment/sleepy --timeout=90s
kubectl scale deployment/sleepy --replicas=3
kubectl rollout status deployment/sleepy --timeout=90s
kubectl apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata:
  name: noise
spec:
  restartPolicy: Never
  containers:
    - name: noise
      image: kubelab/toolbox:1.0
      command: ["sh", "-c"]
      args:
        - |
          here=/var/run/secrets/kubernetes.io/serviceaccount
          curl -s -o /dev/null --cacert \$here/ca.crt -H "Authorization: Bearer \$(cat \$here/token)" \
            -H 'Content-Type: application/json' -X POST -d '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "noise"}}' \
            "https://kubernetes.default.svc/api/v1/namespaces/$namespace/configmaps?again=[1-2100]"
YAML
kubectl wait --for=jsonpath='{.status.phase}'=Succeeded pod/noise --timeout=270s
sleep 2
kubectl delete pod "$(kubectl get pods -l app=sleepy -o jsonpath='{.items[0].metadata.name}')"
kubectl rollout status deployment/sleepy --timeout=90s
