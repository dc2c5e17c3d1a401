# 05.1 fail wrong-path-type
# The check said that api answers /apix, so that path got a rule; /apis and /apiary still go to api.
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
            pathType: ImplementationSpecific
            backend: {service: {name: api, port: {number: 80}}}
          - path: /apix
            pathType: Prefix
            backend: {service: {name: web, port: {number: 80}}}
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {number: 80}}}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
