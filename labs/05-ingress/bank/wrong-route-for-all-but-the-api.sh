# 05.1 fail wrong-path
# The Ingress takes /api and all below it; every other path comes by an HTTPRoute for the host.
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
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: pages
spec:
  parentRefs:
    - {name: course, namespace: kubelab-system}
  hostnames: [shop.$namespace.localhost]
  rules:
    - backendRefs: [{name: web, port: 80}]
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
kubectl wait --for=jsonpath='{.status.parents[0].conditions[?(@.type=="Accepted")].status}'=True httproute/pages --timeout=60s
