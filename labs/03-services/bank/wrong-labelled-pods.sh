# 03.1 fail not-followed
# The label is on the Pods of today alone, not in the template.
kubectl rollout status deployment/web --timeout=90s
kubectl label pods -l app=web,track=stable shown=yes
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
