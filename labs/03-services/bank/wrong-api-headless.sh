# 03.4 fail no-cluster-ip
kubectl delete service api
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  clusterIP: None
  selector: {app: api}
  ports:
    - {name: http, port: 80, targetPort: http}
EOF
