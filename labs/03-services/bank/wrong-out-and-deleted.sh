# 03.5 fail none-out
# One Pod is taken out as it should be, and then deleted: nothing is left to be looked at.
kubectl apply -f - <<'YAML'
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  selector: {app: api}
  ports:
    - {port: 80, targetPort: http}
YAML
kubectl rollout status deployment/api --timeout=90s
pod=$(kubectl get pods -l app=api -o jsonpath='{.items[0].metadata.name}')
kubectl label pod "$pod" app=api-out --overwrite
kubectl rollout status deployment/api --timeout=90s
kubectl delete pod "$pod"
