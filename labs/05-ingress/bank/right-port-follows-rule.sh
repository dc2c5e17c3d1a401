# pass
# The Service of the menu learns the port that its Ingress names; the rest is made with commands.
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
kubectl create ingress shop --rule="shop.$namespace.localhost/api*=api:80,tls=shop-tls" --rule="shop.$namespace.localhost/*=web:80,tls=shop-tls"
kubectl apply -f - <<EOF
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: shop
spec:
  parentRefs:
    - name: course
      namespace: kubelab-system
  hostnames: [gw.$namespace.localhost, other.gw.$namespace.localhost]
  rules:
    - backendRefs:
        - {name: web, port: 80, weight: 6}
        - {name: web-next, port: 80, weight: 2}
EOF
kubectl patch ingress menu -p '{"spec": {"ingressClassName": "contour"}}'
kubectl patch service menu -p '{"spec": {"selector": {"app": "menu"}, "ports": [{"port": 8080, "targetPort": 8080, "name": "more"}]}}'
kubectl wait --for=condition=Available deployment --all --timeout=120s
