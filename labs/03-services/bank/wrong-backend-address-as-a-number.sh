# 03.2 fail fixed-address
# The address is written as one number, as a URL may: it is none the less the address.
address=$(kubectl get service backend -o jsonpath='{.spec.clusterIP}')
number=$(python3 -c 'import ipaddress, sys; print(int(ipaddress.ip_address(sys.argv[1])))' "$address")
kubectl set env deployment/caller "BACKEND_URL=http://$number"
kubectl rollout status deployment/caller --timeout=90s
