# 05.3 fail wrong-weight
# One Service, and more Pods of it: the new version gets nothing.
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
        - {name: web, port: 80}
EOF
kubectl scale deployment web --replicas=3
kubectl wait --for=condition=Available deployment --all --timeout=120s
