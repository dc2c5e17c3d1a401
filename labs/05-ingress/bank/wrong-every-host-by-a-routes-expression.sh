# 05.1 fail every-host
# The host's rules are right; an HTTPRoute for a wildcard gives /menu and /card of every name to the API, by an expression.
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
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: cards
spec:
  parentRefs:
    - name: course
      namespace: kubelab-system
  hostnames: ["*.$namespace.localhost"]
  rules:
    - matches:
        - path: {type: RegularExpression, value: "/(menu|card)"}
      backendRefs:
        - {name: api, port: 80}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
