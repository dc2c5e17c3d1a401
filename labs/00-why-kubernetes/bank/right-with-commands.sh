# pass
# Nothing but commands, and no probe.
kubectl create deployment web --image=kubelab/web:1.0 --replicas=2
kubectl set env deployment/web STORE_HOST=redis
kubectl expose deployment web --port=80 --target-port=8080
