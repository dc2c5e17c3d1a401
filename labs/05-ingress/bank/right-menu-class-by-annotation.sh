# pass
# The class of the menu's Ingress by the older annotation, which Contour reads before the field.
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
            backend: {service: {name: api, port: {number: 80}}}
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {number: 80}}}
EOF
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
kubectl annotate ingress menu kubernetes.io/ingress.class=contour
kubectl patch ingress menu --type=json -p '[
  {"op": "replace", "path": "/spec/rules/0/http/paths/0/backend/service/port/number", "value": 80}]'
kubectl set selector service menu app=menu
kubectl wait --for=condition=Available deployment --all --timeout=120s
