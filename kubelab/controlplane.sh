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

gone() {
  [ -z "$(crictl ps --quiet --name "^$1\$")" ]
}

dead() {
  crictl ps --all --quiet --state exited --name "^$1\$"
}

# It has ended, and the kubelet waits before the next try: up to five minutes, where it ended often.
waits() {
  gone "$1" && [ -n "$(dead "$1")" ]
}

# Try a command until it holds, for some seconds by this shell's own clock.
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.3
  done
}

late() {
  echo "$1 takes too long" >&2
  exit 1
}

# Take the manifest of a component away, into a folder where one is given. An API
# server that is asked to end first takes itself out of Service `kubernetes`, and then no Pod finds
# the next one for up to a minute; so it is not asked.
take() {
  [ "$1" != kube-apiserver ] || pkill -KILL -x kube-apiserver || true
  if [ -n "${2:-}" ]; then mv "$manifests/$1.yaml" "$2/"; else rm -f "$manifests/$1.yaml"; fi
}

# Wait until the container of a component without a manifest has ended.
finish() {
  local running
  running=$(crictl ps --quiet --name "^$1\$")
  # shellcheck disable=SC2086  # One word a container.
  [ -z "$running" ] || crictl stop --timeout 5 $running >/dev/null 2>&1 || true
  within 60 gone "$1" || late "$1"
}

# Make the kubelet start components at once. It knows how often one has ended by its ended container
# alone, and looks at the containers every second.
anew() {
  local one ended
  for one in "$@"; do take "$one"; done
  for one in "$@"; do finish "$one"; done
  for one in "$@"; do
    ended=$(dead "$one")
    # shellcheck disable=SC2086
    [ -z "$ended" ] || crictl rm $ended >/dev/null 2>&1 || true
  done
  sleep 2
  for one in "$@"; do
    # The kubelet reads no file that begins with a dot, so it never sees half of one.
    install -m 600 "$run/wanted/$one.yaml" "$manifests/.$one"
    mv "$manifests/.$one" "$manifests/$one.yaml"
  done
}

# Wait until a component answers, and help one that died once more meanwhile.
comes() {
  local since=$SECONDS end=$((SECONDS + 90))
  until answers "$1"; do
    if [ $SECONDS -ge $end ]; then
      echo "$1 does not answer" >&2
      exit 1
    fi
    if [ $((SECONDS - since)) -ge 5 ] && waits "$1"; then
      anew "$1"
      since=$SECONDS
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
    if ! cmp -s "$run/wanted/$one.yaml" "$manifests/$one.yaml" || waits "$one"; then back+=("$one"); fi
  done
  since=$(date +%s)
  if [ ${#back[@]} -gt 0 ]; then
    # An API server without its etcd lets every question of the kubelet wait for half a minute.
    if [[ " ${back[*]} " == *" etcd "* ]]; then anew kube-apiserver "${back[@]}"; else anew "${back[@]}"; fi
  fi
  rm -rf "$stopped"
  flock -u 9
  systemctl stop "$guard.timer" 2>/dev/null || true
  for one in "${back[@]}"; do echo "$one"; done
  for one in "${components[@]}"; do comes "$one"; done
  # Who was started while the API server was away asks again only after up to a minute; the kubelet
  # waits up to two, and a new one asks at once.
  for one in kube-controller-manager kube-scheduler; do
    within 120 leads "$one" "$since" || late "$one"
  done
  within 20 told || systemctl restart kubelet
  within 60 told || late "the control plane"
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
  take "$one" "$stopped"
  finish "$one"
  flock -u 9
}

state() {
  local one
  for one in "${components[@]}"; do
    [ -f "$manifests/$one.yaml" ] || echo "$one"
  done
}

"$@"
