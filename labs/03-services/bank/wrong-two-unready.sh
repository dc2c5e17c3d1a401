# 03.5 fail missing-endpoints
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
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
for pod in $(kubectl get pods -l app=api -o jsonpath='{.items[:2].metadata.name}'); do
  kubectl get --raw "/api/v1/namespaces/$namespace/pods/$pod:8080/proxy/fail"
  kubectl wait --for=condition=Ready=false "pod/$pod" --timeout=30s
done
