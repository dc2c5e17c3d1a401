# 05.3 fail no-endpoints
# The new version has no Pod: a quarter of the requests is lost.
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
EOF
kubectl scale deployment web-next --replicas=0
kubectl wait --for=delete pod -l app=web-next --timeout=60s || true
kubectl wait --for=condition=Available deployment --all --timeout=120s
