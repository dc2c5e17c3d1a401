# 05.3 fail wrong-backend
# An HTTPProxy, Contour's own kind, takes /menu at the host away: not all of it goes through HTTPRoute shop.
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
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata:
  name: gw-menu
spec:
  virtualhost: {fqdn: gw.$namespace.localhost}
  routes:
    - conditions: [{prefix: /menu}]
      services: [{name: api, port: 80}]
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
