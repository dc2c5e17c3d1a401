# 05.1 fail wrong-backend
# One page below /api and every second level; /api/v2 goes to web.
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
          - path: "/api/?|/api/v1|/api/[^/]+/.*"
            pathType: ImplementationSpecific
            backend: {service: {name: api, port: {number: 80}}}
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {number: 80}}}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
