#!/bin/bash
# The control plane's static Pods, from inside its node:
#   state                   name the components whose manifest is missing
#   mend                    put every manifest back, and wait until the components answer
#   stop COMPONENT SECONDS  take one manifest away; a timer of the node's mends after SECONDS
# It lies on the node, so it goes on when whoever called it is gone.
set -euo pipefail

manifests=/etc/kubernetes/manifests
stopped=/etc/kubernetes/kubelab-stopped
run=/run/kubelab
guard=kubelab-mend
components=(etcd kube-apiserver kube-controller-manager kube-scheduler)
export KUBECONFIG=/etc/kubernetes/admin.conf

# What kubeadm writes for the configuration that made this node: whoever has lost, moved or
# changed a manifest finds the same one there.
wanted() {
  rm -rf "$run/wanted"
  mkdir -p "$run/wanted"
  export KUBEADM_INIT_DRYRUN_DIR=$run/wanted
  kubeadm init phase control-plane all --config /kind/kubeadm.conf --dry-run >"$run/kubeadm.log" 2>&1
  kubeadm init phase etcd local --config /kind/kubeadm.conf --dry-run >>"$run/kubeadm.log" 2>&1
}

answers() {
  local url
  case $1 in
    etcd) url=http://127.0.0.1:2381/health ;;
    kube-apiserver) url=https://127.0.0.1:6443/readyz ;;
    kube-controller-manager) url=https://127.0.0.1:10257/healthz ;;
    kube-scheduler) url=https://127.0.0.1:10259/healthz ;;
  esac
  curl -ksf -m 2 -o /dev/null "$url"
}

# A new process works only after it holds the Lease, which the old one kept for some seconds.
leads() {
  local renewed
  renewed=$(kubectl -n kube-system get lease "$1" -o 'jsonpath={.spec.renewTime}' 2>/dev/null) || return 1
  [ -n "$renewed" ] && [ "$(date -d "$renewed" +%s)" -gt "$2" ]
}

# The kubelet has told the API server that each of them runs.
told() {
  local ready
  ready=$(kubectl -n kube-system get pods -l tier=control-plane -o \
    'jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}' 2>/dev/null) || return 1
  [ "$(grep -c True <<<"$ready")" -ge ${#components[@]} ]
}

# Try a command until it holds; $deadline is by this shell's own clock.
await() {
  until "$@"; do
    if [ $SECONDS -ge $deadline ]; then
      echo "$2 does not answer" >&2
      exit 1
    fi
    sleep 0.3
  done
}

mend() {
  local one back=() since
  exec 9>"$run/lock"
  flock 9
  wanted
  for one in "${components[@]}"; do
    if ! cmp -s "$run/wanted/$one.yaml" "$manifests/$one.yaml"; then
      # The kubelet reads no file that begins with a dot, so it never sees half of one.
      install -m 600 "$run/wanted/$one.yaml" "$manifests/.$one"
      mv "$manifests/.$one" "$manifests/$one.yaml"
      back+=("$one")
    fi
  done
  rm -rf "$stopped"
  since=$(date +%s)
  flock -u 9
  systemctl stop "$guard.timer" 2>/dev/null || true
  for one in "${back[@]}"; do echo "$one"; done
  deadline=$((SECONDS + 120))
  for one in "${components[@]}"; do await answers "$one"; done
  for one in "${back[@]}"; do
    case $one in kube-controller-manager | kube-scheduler) await leads "$one" "$since" ;; esac
  done
  await told "the control plane"
}

stop() {
  local one=$1
  exec 9>"$run/lock"
  flock 9
  systemctl stop "$guard.timer" 2>/dev/null || true
  systemctl reset-failed "$guard.service" 2>/dev/null || true
  systemd-run --quiet --collect --unit="$guard" --on-active="$2" --timer-property=AccuracySec=1s \
    bash "$run/controlplane.sh" mend 2>/dev/null
  mkdir -p "$stopped"
  mv "$manifests/$one.yaml" "$stopped/"
  flock -u 9
  deadline=$((SECONDS + 60))
  await gone "$one"
}

gone() {
  [ -z "$(crictl ps --quiet --name "^$1\$")" ]
}

state() {
  local one
  for one in "${components[@]}"; do
    [ -f "$manifests/$one.yaml" ] || echo "$one"
  done
}

"$@"
