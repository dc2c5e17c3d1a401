#!/bin/bash
# Makes the certificate of the Gateway's HTTPS listeners, once. Runs in the control-plane node,
# which has openssl, kubectl and the administrator's kubeconfig: bash -s < default-certificate.sh
set -euo pipefail
export KUBECONFIG=/etc/kubernetes/admin.conf

if kubectl -n kubelab-system get secret default-certificate >/dev/null 2>&1; then
  exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 3650 \
  -subj "/CN=kubelab default certificate" \
  -addext "subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1" \
  -keyout "$folder/tls.key" -out "$folder/tls.crt" 2>/dev/null
kubectl -n kubelab-system create secret tls default-certificate \
  --cert="$folder/tls.crt" --key="$folder/tls.key"
