# pass
# The Pods of the task behind Services with other names; a headless one; the menu's Ingress leads to a new one.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl run tools --image=kubelab/toolbox:1.0
kubectl wait --for=condition=Ready pod/tools --timeout=90s
kubectl exec tools -- openssl req -x509 -newkey rsa:2048 -noenc -days 30 -subj /CN=shop \
  -addext "subjectAltName=DNS:shop.$namespace.localhost" -keyout tls.key -out tls.crt 2>/dev/null
folder=$(mktemp -d)
for file in tls.key tls.crt; do kubectl exec tools -- cat $file > "$folder/$file"; done
kubectl create secret tls shop-tls --key="$folder/tls.key" --cert="$folder/tls.crt"
rm -r "$folder"
kubectl delete pod tools --wait=false
kubectl expose deployment web --name=page --port=8000 --target-port=http
kubectl expose deployment web-next --name=page-next --port=8000 --target-port=8080
kubectl expose deployment menu --name=menu-card --cluster-ip=None --port=8080
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
                name: page
                port: {number: 8000}
---
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
        - path: {type: PathPrefix, value: /}
          method: GET
        - path: {type: PathPrefix, value: /}
      backendRefs:
        - {name: page, port: 8000, weight: 9}
        - {name: page-next, port: 8000, weight: 3}
        - {name: api, port: 80, weight: 0}
EOF
kubectl patch ingress menu --type=json -p '[
  {"op": "replace", "path": "/spec/ingressClassName", "value": "contour"},
  {"op": "replace", "path": "/spec/rules/0/http/paths/0/backend/service/name", "value": "menu-card"}]'
kubectl wait --for=condition=Available deployment --all --timeout=120s
