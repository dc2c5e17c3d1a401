# 05.4 fail wrong-port
# The wrong port is left in Ingress menu, and a second Ingress for the same host and path does its work.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl patch ingress menu -p '{"spec": {"ingressClassName": "contour"}}'
kubectl patch service menu -p '{"spec": {"selector": {"app": "menu"}}}'
kubectl apply -f - <<EOF
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: menu-too
spec:
  rules:
    - host: menu.$namespace.localhost
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: menu
                port: {number: 80}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
