# 03.2 fail fixed-address
# The variable is set once, when the container starts.
kubectl set env deployment/caller 'BACKEND_URL=http://$(BACKEND_SERVICE_HOST):$(BACKEND_SERVICE_PORT)'
kubectl rollout status deployment/caller --timeout=90s
