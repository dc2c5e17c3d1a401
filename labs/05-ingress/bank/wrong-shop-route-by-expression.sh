# 05.1 fail wrong-backend
# The Ingress is right; an HTTPRoute for the same host takes one page by a regular expression, and web answers it.
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
  name: more
spec:
  parentRefs:
    - {name: course, namespace: kubelab-system, sectionName: http}
  hostnames: ["shop.$namespace.localhost"]
  rules:
    - matches:
        - path: {type: RegularExpression, value: /api/orders}
      backendRefs:
        - {name: web, port: 80}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
