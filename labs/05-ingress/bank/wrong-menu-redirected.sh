# 05.3 fail wrong-backend
# Everything is split but the menu: whoever asks for it is sent to another host, and neither version answers.
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
      filters:
        - type: RequestRedirect
          requestRedirect: {hostname: www.example.org, statusCode: 302}
    - backendRefs:
        - {name: web, port: 80, weight: 3}
        - {name: web-next, port: 80, weight: 1}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
