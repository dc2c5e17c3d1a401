# pass
# Rules in another order, an old annotation for the class, and the Ingress of the menu made anew.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl run tools --image=kubelab/toolbox:1.0
kubectl wait --for=condition=Ready pod/tools --timeout=90s
kubectl exec tools -- openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 2 -subj /CN=shop \
  -addext "subjectAltName=DNS:other.localhost,DNS:shop.$namespace.localhost" -keyout tls.key -out tls.crt 2>/dev/null
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
  annotations:
    kubernetes.io/ingress.class: contour
spec:
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
                port: {number: 80}
          - path: /api
            pathType: Prefix
            backend:
              service:
                name: api
                port: {number: 80}
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
      backendRefs:
        - {name: web, port: 80, weight: 3}
        - {name: web-next, port: 80, weight: 1}
EOF
kubectl delete ingress menu
kubectl create ingress menu --rule="menu.$namespace.localhost/*=menu:http"
kubectl set selector service menu app=menu
kubectl wait --for=condition=Available deployment --all --timeout=120s
