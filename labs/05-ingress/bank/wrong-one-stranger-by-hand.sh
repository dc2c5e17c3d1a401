# 05.1 fail endpoints-by-hand
# Behind Service web stands a Pod of the API, too, written by hand: one request of 19 for the page is answered by it.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl scale deployment web --replicas=18
kubectl rollout status deployment web --timeout=180s
address=$(kubectl get pods -l app=api -o jsonpath='{.items[0].status.podIP}')
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
            backend: {service: {name: api, port: {number: 80}}}
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {number: 80}}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-more
  labels: {kubernetes.io/service-name: web}
addressType: IPv4
endpoints:
  - addresses: ["$address"]
ports:
  - {name: http, port: 8080, protocol: TCP}
EOF
kubectl wait --for=condition=Available deployment --all --timeout=120s
