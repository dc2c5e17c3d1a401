# 05.1 fail wrong-port
# The Service does not listen on the container's port.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl apply -f - <<EOF
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
spec:
  rules:
    - host: shop.$namespace.localhost
      http:
        paths:
          - path: /api
            pathType: Prefix
            backend:
              service:
                name: api
                port: {number: 8080}
          - path: /
            pathType: Prefix
            backend:
              service:
                name: web
                port: {number: 8080}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
