# 01.2 fail no-binding
# A second Pod is placed, and the first one waits on.
kubectl apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata:
  name: placed
  labels: {app: waiting}
spec:
  schedulerName: by-hand
  terminationGracePeriodSeconds: 5
  containers:
    - name: web
      image: kubelab/web:1.0
      ports:
        - {name: http, containerPort: 8080}
      readinessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 1
YAML
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
node=$(kubectl get nodes -l '!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[0].metadata.name}')
kubectl create --raw "/api/v1/namespaces/$namespace/pods/placed/binding" -f - <<JSON
{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "placed"},
 "target": {"apiVersion": "v1", "kind": "Node", "name": "$node"}}
JSON
