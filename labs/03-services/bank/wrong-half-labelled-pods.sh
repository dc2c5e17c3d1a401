# 03.1 fail not-followed
# One label of the selector is in the template, the other on the Pods of today alone.
kubectl rollout status deployment/web --timeout=90s
kubectl label pods -l app=web,track=stable seen=today
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web, seen: today}
  ports:
    - {port: 80, targetPort: http}
EOF
