# 03.2 fail wrong-image
kubectl set image deployment/caller web=kubelab/toolbox:1.0
