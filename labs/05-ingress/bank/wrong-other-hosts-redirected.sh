# 05.1 fail every-host
# The Ingress is right; an HTTPRoute sends whoever asks for any other host of the namespace to the shop: 302, and no 404.
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
  hostnames: ["*.$namespace.localhost"]
  rules:
    - filters:
        - type: RequestRedirect
          requestRedirect: {hostname: shop.$namespace.localhost, statusCode: 302}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
