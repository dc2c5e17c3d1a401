# pass
# All tasks: the learner's namespace enforces the Pod Security Standard `restricted`, and every Pod keeps to it.
namespace=$(kubectl config view --minify -o jsonpath='{..namespace}')
kubectl label namespace "$namespace" pod-security.kubernetes.io/enforce=restricted
kubectl delete pod polite --now
kubectl apply -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: web
      image: kubelab/web:1.0
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
      ports:
        - {name: http, containerPort: 8080}
      readinessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 2
        failureThreshold: 2
      livenessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 2
        failureThreshold: 2
---
apiVersion: v1
kind: Pod
metadata:
  name: kitchen
  labels: {app: kitchen}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  volumes:
    - name: menu
      emptyDir: {}
  initContainers:
    - name: writer
      image: kubelab/toolbox:1.0
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
      command: ["sh", "-c", 'echo "$POD_UID" > /data/menu.txt']
      env:
        - name: POD_UID
          valueFrom: {fieldRef: {fieldPath: metadata.uid}}
      volumeMounts: [{name: menu, mountPath: /data}]
    - name: refresher
      image: kubelab/toolbox:1.0
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
      restartPolicy: Always
      command: ["sh", "-c"]
      args:
        - |
          while true; do
            { head -n 1 /data/menu.txt; date +%s.%N; } > /data/menu.new
            mv /data/menu.new /data/menu.txt
            sleep 2
          done
      volumeMounts: [{name: menu, mountPath: /data}]
  containers:
    - name: server
      image: kubelab/web:1.0
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
      env:
        - {name: FILE, value: /data/menu.txt}
      ports:
        - {name: http, containerPort: 8080}
      volumeMounts: [{name: menu, mountPath: /data}]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: broken
  labels: {app: broken}
spec:
  replicas: 1
  selector:
    matchLabels: {app: broken}
  template:
    metadata:
      labels: {app: broken}
    spec:
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: web
          image: kubelab/web:1.0
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
          command: ["sh", "-c"]
          args:
            - |
              : "${NAME:?is not set, and the page needs a name}"
              exec python3 /app/app.py
          env:
            - name: NAME
              value: shop
          ports:
            - {name: http, containerPort: 8080}
          livenessProbe:
            httpGet: {path: /healthz, port: http}
            periodSeconds: 2
            failureThreshold: 3
            timeoutSeconds: 2
---
apiVersion: v1
kind: Pod
metadata:
  name: polite
  labels: {app: polite}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  terminationGracePeriodSeconds: 30
  containers:
    - name: web
      image: kubelab/web:1.0
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
      env:
        - {name: ON_TERM, value: finish}
      ports:
        - {name: http, containerPort: 8080}
      readinessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 2
YAML
kubectl rollout status deployment/broken --timeout=120s
kubectl wait --for=condition=Ready pod/web pod/kitchen pod/polite --timeout=240s
