# 03.2 fail fixed-address
# The name is the Service's, and each Pod's own hosts file says which address that is.
address=$(kubectl get service backend -o jsonpath='{.spec.clusterIP}')
kubectl patch deployment caller -p "{\"spec\": {\"template\": {\"spec\": {\"hostAliases\": [{\"ip\": \"$address\", \"hostnames\": [\"backend\"]}]}}}}"
kubectl set env deployment/caller BACKEND_URL=http://backend
kubectl rollout status deployment/caller --timeout=90s
