# 05.1 fail wrong-backend
# One page deep below /api is answered by web alone, by its exact path.
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
            backend: {service: {name: api, port: {number: 80}}}
          - path: /api/v3/orders
            pathType: Exact
            backend: {service: {name: web, port: {number: 80}}}
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {number: 80}}}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
