# 01.2 fail no-binding
node=$(kubectl get nodes -l '!node-role.kubernetes.io/control-plane' -o jsonpath='{.items[0].metadata.name}')
kubectl delete pod waiting --now
kubectl apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata:
  name: waiting
  labels: {app: waiting}
spec:
  schedulerName: by-hand
  nodeName: $node
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
kubectl wait --for=condition=Ready pod/waiting --timeout=60s
