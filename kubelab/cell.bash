# Read by bash (BASH_ENV) before a notebook's %%bash cell: the cell stops at the first failing
# command. Only a shell that reads its commands from standard input is a cell; scripts that
# a cell starts keep their own rules.
unset BASH_ENV
if [ "${0##*/}" = bash ] && [ -z "${BASH_EXECUTION_STRING-}" ]; then
  set -Eeuo pipefail
  trap 'echo "$LINENO" > "${KUBELAB_STOPPED:-/dev/null}" 2> /dev/null || :' ERR
fi
