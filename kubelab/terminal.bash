# Read by JupyterLab's terminals: the user's own settings first, then the course's paths.
if [ -f ~/.bashrc ]; then . ~/.bashrc; fi
PATH="$KUBELAB_PATH:$PATH"
cd "$KUBELAB_ROOT" || true
