# 05.4 fail wrong-port
# The port on which the Service does not listen is left.
kubectl patch ingress menu -p '{"spec": {"ingressClassName": "contour"}}'
kubectl set selector service menu app=menu
kubectl wait --for=condition=Available deployment --all --timeout=120s
