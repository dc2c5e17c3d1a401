# 03.3 fail not-followed
# The label that is selected was put on the three Pods of today by hand; a Pod that comes tomorrow has no address there.
kubectl rollout status deployment/web --timeout=90s
kubectl label pods -l app=web,track=stable shown=yes
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web-headless
spec:
  clusterIP: None
  selector: {shown: "yes"}
  ports:
    - {name: http, port: 8080, targetPort: http}
EOF
sleep 4
