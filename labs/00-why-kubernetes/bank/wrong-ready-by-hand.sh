# 00.1 not_yet unsettled
# Ready because somebody wrote so into the status; the next Pod would wait for ever.
kubectl apply -f - <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      readinessGates:
        - conditionType: example.com/open
      containers:
        - name: web
          image: kubelab/web:1.0
          env:
            - {name: STORE_HOST, value: redis}
          ports:
            - {containerPort: 8080}
          readinessProbe:
            httpGet: {path: /healthz, port: 8080}
            periodSeconds: 1
EOF
for number in $(seq 1 60); do
  running=$(kubectl get pods -l app=web --field-selector=status.phase=Running -o name | wc -l)
  if [ "$running" -eq 2 ]; then break; fi
  sleep 1
done
for pod in $(kubectl get pods -l app=web -o name); do
  kubectl patch "$pod" --subresource=status -p '{"status": {"conditions": [{"type": "example.com/open", "status": "True"}]}}'
done
kubectl wait --for=condition=Ready pods -l app=web --timeout=60s
