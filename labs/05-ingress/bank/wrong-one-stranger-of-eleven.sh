# 05.1 fail wrong-backend
# Among many Pods behind Service web is one that is not of Deployment web: one request of eleven is answered by it.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl apply -f - <<EOF
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
spec:
  rules:
    - host: shop.$namespace.localhost
      http:
        paths:
          - path: /api
            pathType: Prefix
            backend:
              service:
                name: api
                port: {number: 80}
          - path: /
            pathType: Prefix
            backend:
              service:
                name: web
                port: {number: 80}
EOF
kubectl scale deployment web --replicas=10
kubectl run stranger --image=kubelab/web:2.0 --labels=app=web --env=NAME=stranger --overrides='{"spec": {"containers": [{"name": "stranger", "image": "kubelab/web:2.0", "env": [{"name": "NAME", "value": "stranger"}], "ports": [{"name": "http", "containerPort": 8080}]}]}}'
kubectl wait --for=condition=Ready pod/stranger --timeout=60s
kubectl rollout status deployment/web --timeout=90s
