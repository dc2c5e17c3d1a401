# 03.4 fail missing-endpoints
# Two Pods that call themselves api, both of them, and one of them leaves by its readiness: a single one is reached.
kubectl patch service api -p '{"spec": {"selector": {"app": "api"}, "ports": [{"port": 80, "targetPort": "http"}]}}'
kubectl patch deployment api -p '{"spec": {"replicas": 2, "template": {"spec": {"hostname": "api"}}}}'
kubectl rollout status deployment/api --timeout=90s
until [ "$(kubectl get pods -l app=api --no-headers | wc -l)" = 2 ]; do sleep 1; done
pod=$(kubectl get pods -l app=api -o jsonpath='{.items[0].metadata.name}')
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl get --raw "/api/v1/namespaces/$namespace/pods/$pod:8080/proxy/fail"
kubectl wait --for=condition=Ready=false "pod/$pod" --timeout=30s
