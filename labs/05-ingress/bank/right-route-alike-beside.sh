# pass
# 05.1: two Ingresses carry the host, and an HTTPRoute beside them leads each path to the same Service.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl run tools --image=kubelab/toolbox:1.0
kubectl wait --for=condition=Ready pod/tools --timeout=90s
kubectl exec tools -- openssl req -x509 -newkey rsa:3072 -noenc -days 365 -subj /CN=shop \
  -addext "subjectAltName=DNS:*.$namespace.localhost" -keyout tls.key -out tls.crt 2>/dev/null
folder=$(mktemp -d)
for file in tls.key tls.crt; do kubectl exec tools -- cat $file > "$folder/$file"; done
kubectl create secret tls shop-tls --key="$folder/tls.key" --cert="$folder/tls.crt"
rm -r "$folder"
kubectl delete pod tools --wait=false
kubectl apply -f - <<EOF
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop-api
spec:
  ingressClassName: contour
  tls:
    - hosts: [shop.$namespace.localhost]
      secretName: shop-tls
  rules:
    - host: shop.$namespace.localhost
      http:
        paths:
          - path: /api/
            pathType: Prefix
            backend:
              service:
                name: api
                port: {name: http}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
spec:
  ingressClassName: contour
  tls:
    - hosts: [shop.$namespace.localhost]
      secretName: shop-tls
  rules:
    - host: shop.$namespace.localhost
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: web
                port: {name: http}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: shop
spec:
  parentRefs:
    - name: course
      namespace: kubelab-system
      sectionName: http
  hostnames: [gw.$namespace.localhost]
  rules:
    - backendRefs:
        - {name: web-next, port: 80, weight: 25}
        - {name: web, port: 80, weight: 75}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: shop-beside
spec:
  parentRefs:
    - {name: course, namespace: kubelab-system, sectionName: http}
  hostnames: [shop.$namespace.localhost]
  rules:
    - matches: [{path: {type: PathPrefix, value: /api}}]
      backendRefs: [{name: api, port: 80}]
    - backendRefs: [{name: web, port: 80}]
EOF
kubectl patch ingress menu --type=json -p '[
  {"op": "replace", "path": "/spec/ingressClassName", "value": "contour"},
  {"op": "replace", "path": "/spec/rules/0/http/paths/0/backend/service/port/number", "value": 80}]'
kubectl patch service menu -p '{"spec": {"selector": {"app": "menu"}}}'
kubectl wait --for=condition=Available deployment --all --timeout=120s
