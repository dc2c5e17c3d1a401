# pass
# 03.2: the caller's Pod is labelled, replaced and applied by hand; it comes from the template all the same.
kubectl expose deployment web --port=80 --target-port=http
kubectl expose deployment web --name=web-headless --cluster-ip=None --port=8080
kubectl patch service api -p '{"spec": {"selector": {"app": "api"}, "ports": [{"port": 80, "targetPort": "http"}]}}'
kubectl set env deployment/caller BACKEND_URL=http://backend
kubectl rollout status deployment/caller --timeout=90s
kubectl rollout status deployment/api --timeout=90s
pod=$(kubectl get pods -l app=caller -o json | python3 -c '
import json, sys
print(next(p["metadata"]["name"] for p in json.load(sys.stdin)["items"] if "deletionTimestamp" not in p["metadata"]))
')
kubectl label pod "$pod" seen=yes
kubectl get pod "$pod" -o json | kubectl replace -f -
kubectl get pod "$pod" -o json --show-managed-fields=false | python3 -c '
import json, sys
pod = json.load(sys.stdin)
pod["metadata"] = {k: v for k, v in pod["metadata"].items() if k not in ("managedFields", "resourceVersion")}
pod.pop("status")
print(json.dumps(pod))
' |
  kubectl apply --server-side --force-conflicts -f -
pod=$(kubectl get pods -l app=api -o jsonpath='{.items[0].metadata.name}')
kubectl label pod "$pod" app=api-out --overwrite
