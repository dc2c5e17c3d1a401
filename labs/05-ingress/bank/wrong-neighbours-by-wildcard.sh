# 05.1 fail every-host
# The host's rules are right, and a wildcard gives one exact path of the API to its neighbours.
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
    - host: "*.$namespace.localhost"
      http:
        paths:
          - path: /api/status
            pathType: Exact
            backend:
              service:
                name: api
                port: {number: 80}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
