# 02.1 fail wrong-liveness-probe
# The liveness probe of `web` asks another Pod, so it restarts the wrong one.
kubectl run other --image=kubelab/web:1.0 --port=8080
kubectl wait --for=condition=Ready pod/other --timeout=60s
address=$(kubectl get pod other -o jsonpath='{.status.podIP}')
kubectl apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
spec:
  containers:
    - name: web
      image: kubelab/web:1.0
      ports:
        - {name: http, containerPort: 8080}
      readinessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 2
        failureThreshold: 2
      livenessProbe:
        httpGet: {path: /healthz, port: http, host: $address}
        periodSeconds: 2
        failureThreshold: 2
YAML
kubectl wait --for=condition=Ready pod/web --timeout=60s
