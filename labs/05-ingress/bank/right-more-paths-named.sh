# pass
# Rules name pages that the others would take anyhow, each led to where it belongs.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl run tools --image=kubelab/toolbox:1.0
kubectl wait --for=condition=Ready pod/tools --timeout=90s
kubectl exec tools -- openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 90 \
  -subj "/CN=lab authority" -keyout ca.key -out ca.crt 2>/dev/null
kubectl exec tools -- openssl req -x509 -CA ca.crt -CAkey ca.key -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc \
  -days 30 -subj /CN=shop -addext "subjectAltName=DNS:shop.example.org,DNS:shop.$namespace.localhost" \
  -addext "basicConstraints=critical,CA:FALSE" -keyout tls.key -out leaf.crt 2>/dev/null
kubectl exec tools -- sh -c 'cat leaf.crt ca.crt > tls.crt'
folder=$(mktemp -d)
for file in tls.key tls.crt; do kubectl exec tools -- cat $file > "$folder/$file"; done
kubectl create secret tls shop-tls --key="$folder/tls.key" --cert="$folder/tls.crt"
rm -r "$folder"
kubectl delete pod tools --wait=false
kubectl apply -f - <<EOF
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
spec:
  tls:
    - hosts: [shop.$namespace.localhost]
      secretName: shop-tls
  rules:
    - host: shop.$namespace.localhost
      http:
        paths:
          - path: /api/v3/orders
            pathType: Exact
            backend: {service: {name: api, port: {number: 80}}}
          - path: /about
            pathType: Prefix
            backend: {service: {name: web, port: {number: 80}}}
          - path: /favicon.ico
            pathType: Exact
            backend: {service: {name: web, port: {number: 80}}}
          - path: /api
            pathType: Prefix
            backend: {service: {name: api, port: {number: 80}}}
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {number: 80}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: shop
spec:
  parentRefs:
    - {name: course, namespace: kubelab-system, sectionName: http}
    - {name: course, namespace: kubelab-system, sectionName: https}
  hostnames: [gw.$namespace.localhost]
  rules:
    - timeouts: {request: 20s}
      filters:
        - type: ResponseHeaderModifier
          responseHeaderModifier: {set: [{name: x-way, value: gateway}]}
      backendRefs:
        - {name: web, port: 80, weight: 3}
        - {name: web-next, port: 80, weight: 1}
EOF
kubectl patch ingress menu --type=json -p '[
  {"op": "replace", "path": "/spec/ingressClassName", "value": "contour"},
  {"op": "replace", "path": "/spec/rules/0/http/paths/0/backend/service/port/number", "value": 80}]'
kubectl patch service menu -p '{"spec": {"selector": {"app": "menu"}}}'
kubectl wait --for=condition=Available deployment --all --timeout=120s
