# 05.3 fail wrong-split
# The split is right, and a copy of each request goes to web-next besides: it gets four of four.
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
    - filters:
        - type: RequestMirror
          requestMirror: {backendRef: {name: web-next, port: 80}}
      backendRefs:
        - {name: web, port: 80, weight: 3}
        - {name: web-next, port: 80, weight: 1}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
