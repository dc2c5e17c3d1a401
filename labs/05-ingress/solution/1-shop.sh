# 05.1: both paths of type Prefix, the class left out. 05.2: a certificate for the host.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl delete secret shop-tls --ignore-not-found
kubectl delete pod openssl --ignore-not-found --grace-period=1
kubectl run openssl --image=kubelab/toolbox:1.0
kubectl wait --for=condition=Ready pod/openssl --timeout=150s
kubectl exec openssl -- openssl req -x509 -newkey rsa:2048 -noenc -days 30 -subj /CN=shop \
  -addext "subjectAltName=DNS:shop.$namespace.localhost" -keyout tls.key -out tls.crt 2>/dev/null
folder=$(mktemp -d)
for file in tls.key tls.crt; do kubectl exec openssl -- cat $file > "$folder/$file"; done
kubectl create secret tls shop-tls --key="$folder/tls.key" --cert="$folder/tls.crt"
rm -r "$folder"
kubectl delete pod openssl --grace-period=1
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
                name: web
                port: {number: 80}
EOF
