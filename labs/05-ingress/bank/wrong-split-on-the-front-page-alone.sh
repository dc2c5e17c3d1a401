# 05.3 fail wrong-weight
# The front page is split 3 to 1; an expression that takes every other path gives it to the next version alone.
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
    - matches:
        - path: {type: RegularExpression, value: "/.*"}
      backendRefs:
        - {name: web-next, port: 80}
    - matches:
        - path: {type: Exact, value: /}
      backendRefs:
        - {name: web, port: 80, weight: 3}
        - {name: web-next, port: 80, weight: 1}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
