# 05.3 fail unresolved-refs
# A Service of another namespace, which grants nothing.
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
        - {name: prober, namespace: kubelab-system, port: 8080, weight: 1}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
