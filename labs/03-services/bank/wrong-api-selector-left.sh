# 03.4 fail no-endpoints
kubectl patch service api -p '{"spec": {"ports": [{"port": 80, "targetPort": 8080}]}}'
