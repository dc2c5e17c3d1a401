# 03.1 fail missing-endpoints
kubectl rollout status deployment/web --timeout=90s
kubectl label $(kubectl get pods -l app=web,track=stable -o jsonpath='{range .items[:2]}pod/{.metadata.name} {end}') shown=yes
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {shown: "yes"}
  ports:
    - {port: 80, targetPort: http}
EOF
