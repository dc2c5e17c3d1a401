# 05.1 fail no-endpoints
# The Service of the API has no Pod behind it.
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
kubectl scale deployment api --replicas=0
kubectl wait --for=delete pod -l app=api --timeout=60s || true
kubectl wait --for=condition=Available deployment --all --timeout=120s
