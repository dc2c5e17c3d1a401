# 03.4 fail extra-endpoints
# Every Pod of the namespace gets one label more, and the Service selects that.
for one in web preview api; do kubectl rollout status deployment/$one --timeout=90s; done
kubectl label pods --all shop=yes
kubectl patch service api --type=json -p '[{"op": "replace", "path": "/spec/selector", "value": {"shop": "yes"}}, {"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8080}]'
