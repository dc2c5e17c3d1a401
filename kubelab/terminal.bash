# Read by JupyterLab's terminals: the user's own settings first, then the course's: a
# KUBECONFIG of theirs would send kubectl to a cluster of theirs.
kubelab_config=$KUBECONFIG
if [ -f ~/.bashrc ]; then . ~/.bashrc; fi
export KUBECONFIG="$kubelab_config"
unset kubelab_config
PATH="$KUBELAB_PATH:$PATH"
cd "$KUBELAB_ROOT" || true
