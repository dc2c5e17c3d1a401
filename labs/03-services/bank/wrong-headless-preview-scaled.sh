# 03.3 fail not-ready
# The selector fits the preview, too; it is scaled away, so that the name gives the Pods of `web` alone for now.
kubectl rollout status deployment/web --timeout=90s
kubectl scale deployment preview --replicas=0
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web-headless
spec:
  clusterIP: None
  selector: {app: web}
  ports:
    - {name: http, port: 8080, targetPort: http}
EOF
kubectl wait --for=delete pod -l app=web,track=preview --timeout=60s
