# 05.3 fail no-endpoints
# The new version's Service sends to a port at which its Pod does not listen: a quarter is lost.
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
kubectl patch service web-next --type=json -p '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 9090}]'
kubectl wait --for=condition=Available deployment --all --timeout=120s
