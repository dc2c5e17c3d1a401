# 03.4 fail endpoints-by-hand
# The selector is as wrong as it was; today's addresses were written by hand, in the name of the controller.
kubectl rollout status deployment/api --timeout=90s
kubectl patch service api -p '{"spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8080}]}}'
{ cat <<'EOF'
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: api-today
  labels: {kubernetes.io/service-name: api}
addressType: IPv4
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints:
EOF
kubectl get pods -l app=api -o jsonpath='{range .items[*]}- addresses: [{.status.podIP}]{"\n"}{end}'
} | kubectl create --field-manager=kube-controller-manager -f -
sleep 4
