# 05.4 fail wrong-path
# Ingress menu keeps a rule for a path that nobody asks for; another Ingress carries the requests.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl patch ingress menu --type=json -p '[
  {"op": "replace", "path": "/spec/ingressClassName", "value": "contour"},
  {"op": "replace", "path": "/spec/rules/0/http/paths/0/backend/service/port/number", "value": 80}]'
kubectl patch service menu -p '{"spec": {"selector": {"app": "menu"}}}'
kubectl patch ingress menu --type=json -p '[
  {"op": "replace", "path": "/spec/rules/0/http/paths/0/path", "value": "/nothing"}]'
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
