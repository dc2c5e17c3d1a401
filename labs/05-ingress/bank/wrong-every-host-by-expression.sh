# 05.1 fail every-host
# The host's rules are right; a rule without a host gives /v1, /v2 and so on of every name to the API, by an expression.
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
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {number: 80}}}
    - http:
        paths:
          - path: "/v[0-9]+"
            pathType: ImplementationSpecific
            backend: {service: {name: api, port: {number: 80}}}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
