# 01.2 fail wrong-binder
# The cluster's own scheduler was told to answer to the name `by-hand`, too, and bound the Pod.
namespace=$(kubectl config view --minify -o jsonpath="{.contexts[0].context.namespace}")
holder=$(kubectl -n kube-system get lease kube-scheduler -o jsonpath='{.spec.holderIdentity}')
docker exec -i "${holder%%_*}" sh -c 'cat >/etc/kubernetes/by-hand.yaml' <<YAML
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
clientConnection: {kubeconfig: /etc/kubernetes/scheduler.conf}
leaderElection: {leaderElect: true}
profiles:
  - schedulerName: default-scheduler
  - schedulerName: by-hand
YAML
docker exec -i "${holder%%_*}" bash -euo pipefail -s <<'BASH'
cd /etc/kubernetes
sed -e 's|--kubeconfig=/etc/kubernetes/scheduler.conf|--config=/etc/kubernetes/by-hand.yaml|' \
  -e 's|^    - mountPath: /etc/kubernetes/scheduler.conf|    - {mountPath: /etc/kubernetes/by-hand.yaml, name: by-hand, readOnly: true}\n&|' \
  -e 's|^  - hostPath:|  - {hostPath: {path: /etc/kubernetes/by-hand.yaml, type: File}, name: by-hand}\n&|' \
  manifests/kube-scheduler.yaml >by-hand-scheduler.yaml
mv by-hand-scheduler.yaml manifests/kube-scheduler.yaml
BASH
kubectl wait --for=condition=Ready pod/waiting --timeout=150s
