# 03.4 fail session-affinity
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  sessionAffinity: ClientIP
  selector: {app: api}
  ports:
    - {name: http, port: 80, targetPort: http}
EOF
