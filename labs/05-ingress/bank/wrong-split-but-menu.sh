# 05.3 fail wrong-weight
# Everything is split but the menu, which is the next version's alone.
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
    - matches:
        - path: {type: PathPrefix, value: /menu}
      backendRefs:
        - {name: web-next, port: 80}
    - backendRefs:
        - {name: web, port: 80, weight: 3}
        - {name: web-next, port: 80, weight: 1}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
