# 05.3 fail wrong-gateway
# A Gateway of the lab's own namespace, which is not there.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl apply -f - <<EOF
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: shop
spec:
  parentRefs:
    - name: course
  hostnames: [gw.$namespace.localhost]
  rules:
    - backendRefs:
        - {name: web, port: 80, weight: 3}
        - {name: web-next, port: 80, weight: 1}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
