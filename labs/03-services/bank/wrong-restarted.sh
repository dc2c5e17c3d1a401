# 03.5 fail restarted
# Out by its label, and its server was ended afterwards.
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  selector: {app: api}
  ports:
    - {name: http, port: 80, targetPort: http}
EOF
kubectl rollout status deployment/api --timeout=90s
pod=$(kubectl get pods -l app=api -o jsonpath='{.items[0].metadata.name}')
kubectl label pod "$pod" app=api-out --overwrite
sleep 2
kubectl exec "$pod" -- python3 -c 'import os; os.kill(1, 15)' || true
kubectl wait --for=jsonpath='{.status.containerStatuses[0].restartCount}'=1 "pod/$pod" --timeout=60s
kubectl wait --for=condition=Ready "pod/$pod" --timeout=60s
