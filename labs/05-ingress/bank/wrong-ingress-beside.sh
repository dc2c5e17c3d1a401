# 05.3 fail carried-by-ingress
# An Ingress for the same host stands beside the route.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl apply -f - <<EOF
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: shop
spec:
  parentRefs:
    - name: course
      namespace: kubelab-system
  hostnames: [gw.$namespace.localhost]
  rules:
    - backendRefs:
        - {name: web, port: 80, weight: 3}
        - {name: web-next, port: 80, weight: 1}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: gw
spec:
  rules:
    - host: gw.$namespace.localhost
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: web
                port: {number: 80}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
