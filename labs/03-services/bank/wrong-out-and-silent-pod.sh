# 03.5 fail no-answer
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
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata:
  name: silent
  labels: {app: api}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: silent
      image: kubelab/toolbox:1.0
      ports:
        - {name: http, containerPort: 8080}
EOF
