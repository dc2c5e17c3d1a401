"""Who wrote an object, by its managed fields: the course, Kubernetes itself, or somebody else."""

from __future__ import annotations

from kubelab.objects import Object, meta

OURS = "kubelab"
COPY_LABEL = "kubelab.dev/copy-of"
# Who makes the Pods of a ReplicaSet and of a Job.
CONTROLLERS = "kube-controller-manager"
# Whose word counts about the status of a Pod or of what makes Pods, and about endpoints.
COMPONENTS = frozenset(("kubelet", "kube-scheduler", CONTROLLERS))
# The conditions of a Pod that the kubelet writes.
KUBELETS = ("Ready", "ContainersReady", "Initialized", "PodReadyToStartContainers")
# Who keeps an EndpointSlice, by its label.
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
SLICES = "endpointslice-controller.k8s.io"
WORKLOADS = frozenset(("Pod", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job"))


def writers(body: Object, *path: str) -> set[str]:
    """The managers that own a field: `writers(slice, "endpoints")`."""
    found = set()
    for entry in meta(body).get("managedFields") or ():
        fields = entry.get("fieldsV1") or {}
        for step in path:
            fields = fields.get(f"f:{step}")
            if fields is None:
                break
        else:
            found.add(str(entry.get("manager")))
    return found


def is_generated(pod: Object) -> bool:
    """Whether a controller made a Pod: owner and labels are anybody's to write.

    Whoever makes it owns this field, which never changes; who applies it later owns it as well.
    """
    return CONTROLLERS in writers(pod, "metadata", "generateName")


def is_copy(body: Object) -> bool:
    """Whether the course made this object to act on; the label alone is anybody's to write."""
    if COPY_LABEL not in (meta(body).get("labels") or {}):
        return False
    return writers(body, "metadata", "labels", COPY_LABEL) == {OURS}


def status_by_hand(kind: str, body: Object) -> str | None:
    """Who but Kubernetes itself wrote the status of a Pod or of what makes Pods; None: nobody.

    A controller puts it right sooner or later; until then the status says nothing. A condition of
    a Pod that the kubelet does not write is anybody's: a scheduler's, or a readiness gate.
    """
    if kind not in WORKLOADS:
        return None
    for entry in meta(body).get("managedFields") or ():
        if entry.get("subresource") == "status" and entry.get("manager") not in COMPONENTS:
            if kind == "Pod" and only_conditions_of_others(entry.get("fieldsV1") or {}):
                continue
            return str(entry.get("manager"))
    return None


def only_conditions_of_others(fields: Object) -> bool:
    """Whether managed fields hold nothing but conditions that the kubelet does not write."""
    status = fields.get("f:status") or {}
    several = status.get("f:conditions") or {}
    kubelets = {f'k:{{"type":"{one}"}}' for one in KUBELETS}
    return set(status) == {"f:conditions"} and not kubelets & set(several)


def endpoints_by_hand(slice_: Object) -> bool:
    """Whether somebody but the controller wrote the endpoints of an EndpointSlice.

    A manager's name is anybody's to choose. But what carries the controller's label, and stands
    behind a Service with a selector, the controller puts right at once.
    """
    label = (meta(slice_).get("labels") or {}).get(MANAGED_BY)
    return label != SLICES or not writers(slice_, "endpoints") <= COMPONENTS
