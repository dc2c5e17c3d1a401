# 03.4 fail wrong-target-port
kubectl patch service api -p '{"spec": {"selector": {"app": "api"}}}'
