# pass
# 05.3: the older version of the API, which is still served, and a header added to each answer.
set -eu
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
folder=$(mktemp -d)
kubectl delete pod openssl --ignore-not-found --grace-period=1
kubectl run openssl --image=kubelab/toolbox:1.0
kubectl wait --for=condition=Ready pod/openssl --timeout=90s
kubectl exec openssl -- openssl req -x509 -newkey rsa:2048 -noenc -days 30 -subj /CN=shop \
  -addext "subjectAltName=DNS:shop.$namespace.localhost" -keyout tls.key -out tls.crt
for file in tls.key tls.crt; do kubectl exec openssl -- cat $file > "$folder/$file"; done
kubectl delete pod openssl --grace-period=1
kubectl delete secret shop-tls --ignore-not-found
kubectl create secret tls shop-tls --key="$folder/tls.key" --cert="$folder/tls.crt"
rm -r "$folder"
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
    - host: "shop.$namespace.localhost"
      http:
        paths:
          - path: /api
            pathType: Prefix
            backend:
              service:
                name: api
                port: {number: 80}
          - path: /
            pathType: Prefix
            backend:
              service:
                name: web
                port: {number: 80}
EOF
kubectl apply -f - <<EOF
apiVersion: gateway.networking.k8s.io/v1beta1
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
        - type: ResponseHeaderModifier
          responseHeaderModifier:
            add: [{name: X-Canary, value: "25"}]
      backendRefs:
        - {name: web, port: 80, weight: 3}
        - {name: web-next, port: 80, weight: 1}
EOF
kubectl patch ingress menu --type=json -p '[
  {"op": "replace", "path": "/spec/ingressClassName", "value": "contour"},
  {"op": "replace", "path": "/spec/rules/0/http/paths/0/backend/service/port/number", "value": 80}]'
kubectl patch service menu -p '{"spec": {"selector": {"app": "menu"}}}'
kubectl wait --for=condition=Available deployment --all --timeout=80s
