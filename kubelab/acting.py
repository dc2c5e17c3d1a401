"""Acting on copies: one at a time in a namespace, cleaned up after a crash."""

from __future__ import annotations

import contextlib
import contextvars
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from kubelab.api import Away, Cluster, Conflict, Refused
from kubelab.errors import Busy, EnvironmentFault, NoCluster
from kubelab.labs import LOADER
from kubelab.objects import Object, cleaned, controller, dig, meta, name_of, seconds, stamp
from kubelab.proofs import Proof, Proofs, Undo, key, restore
from kubelab.room import fault_of_room, fit, modest
from kubelab.writers import COPY_LABEL, is_copy

__all__ = [
    "LEASE",
    "PATIENCE",
    "Holder",
    "Proof",
    "Proofs",
    "Undo",
    "acting",
    "beside",
    "copy_of",
    "disturbing",
    "key",
    "limited",
    "make",
    "mend",
    "soon_ready",
    "sweep",
    "sweep_after_crash",
    "until",
]

LEASE = "kubelab-acting"
# Seconds without a renewal after which a holder is taken for crashed.
LEASE_SECONDS = 30
# Seconds for which a check waits for another one that acts.
PATIENCE = 60.0
STEP = 0.25
RESTORES, PAUSE = 4, 3.0
# A copy's readiness is asked for after so many seconds at the latest.
SOON = 5

# Keeps a copy that was deleted until its last status was read; a sweep removes it.
FINALIZER = "kubelab.dev/copy"
# Policies add up: this one lets every packet through to and from the copies.
ADMITTED: Object = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "kubelab-copies", "labels": {"kubelab.dev/copies": "true"}},
    "spec": {
        "podSelector": {"matchExpressions": [{"key": COPY_LABEL, "operator": "Exists"}]},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{}],
        "egress": [{}],
    },
}
# Volumes that several Pods share or that outlive a Pod: the original's alone.
SHARED = ("hostPath", "persistentVolumeClaim", "nfs", "csi", "ephemeral")
# Those that somebody else has filled: who only reads them gets what the original gets.
READ = ("hostPath", "persistentVolumeClaim", "nfs")
OF_A_JOB = ("job-name", "controller-uid", "job-completion-index")
LABEL_FIELD = re.compile(r"metadata\.labels\['([^']+)'\]")

_limit: contextvars.ContextVar[float | None] = contextvars.ContextVar("limit", default=None)


@contextlib.contextmanager
def limited(limit: float) -> Iterator[None]:
    """Whoever acts inside keeps to so many seconds, the wait for the Lease left out."""
    token = _limit.set(limit)
    try:
        yield
    finally:
        _limit.reset(token)


class Holder:
    """The one that acts in a namespace, by the Lease `kubelab-acting`."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.limit: float | None = None
        self.since = time.monotonic()
        self.me = f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(3)}"
        self.renewed = 0.0

    def take(self) -> bool:
        """Take the Lease, or renew it; False where somebody else holds it."""
        body: Object = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": LEASE},
            "spec": {
                "holderIdentity": self.me,
                "leaseDurationSeconds": LEASE_SECONDS,
                "renewTime": stamp(time.time(), micro=True),
            },
        }
        try:
            held = self.cluster.get("Lease", LEASE, self.namespace)
            if held is None:
                self.cluster.create("Lease", body, self.namespace)
            elif dig(held, "spec", "holderIdentity") != self.me and not stale(held, time.time()):
                return False
            else:
                body["metadata"]["resourceVersion"] = meta(held)["resourceVersion"]
                self.cluster.replace("Lease", body, self.namespace)
        except Conflict:
            return False
        self.renewed = time.monotonic()
        return True

    def renew(self) -> None:
        """Renew the Lease when a third of its time is over.

        Raises EnvironmentFault where it was lost, or where the time for acting is over.
        """
        if self.limit is not None and time.monotonic() - self.since > self.limit:
            raise EnvironmentFault(
                f"The check tried it on a copy and came to no end within {self.limit:.0f} s. "
                "It costs you nothing.",
                look=f"kubectl -n {self.namespace} get events",
            )
        if time.monotonic() - self.renewed > LEASE_SECONDS / 3 and not self.take():
            raise EnvironmentFault(f"The Lease {LEASE} was taken over while the check acted.")

    def too_busy(self, words: str) -> Busy:
        """The fault of a machine that is too slow to judge anything, and what that shows in."""
        return Busy(
            f"{words}: this machine has too much to do. It costs you nothing.",
            look=f"kubectl -n {self.namespace} get events",
        )

    def release(self) -> None:
        """Give the Lease back, if it is still ours."""
        held = self.cluster.get("Lease", LEASE, self.namespace)
        if dig(held, "spec", "holderIdentity") == self.me:
            self.cluster.delete("Lease", LEASE, self.namespace)


def stale(lease: Object, now: float) -> bool:
    """Whether a Lease's holder has not renewed it in time."""
    renewed = seconds(dig(lease, "spec", "renewTime"))
    duration = dig(lease, "spec", "leaseDurationSeconds") or LEASE_SECONDS
    return renewed is None or now - renewed > duration


@contextlib.contextmanager
def acting(cluster: Cluster, namespace: str, patience: float = PATIENCE) -> Iterator[Holder]:
    """Be the only one that acts in a namespace; copies left by a crash are removed first.

    Waits up to `patience` seconds for another holder; raises EnvironmentFault after that.
    """
    holder = Holder(cluster, namespace)
    end = time.monotonic() + patience
    while not holder.take():
        if time.monotonic() > end:
            raise EnvironmentFault(
                "Another check is acting in this namespace.",
                look=f"kubectl -n {namespace} get lease {LEASE} -o yaml",
            )
        time.sleep(STEP)
    holder.limit, holder.since = _limit.get(), time.monotonic()
    try:
        restore(cluster, namespace)
        sweep(cluster, namespace)
        admit(cluster, namespace)
        yield holder
    finally:
        try:
            sweep(cluster, namespace)
        finally:
            holder.release()


def admit(cluster: Cluster, namespace: str) -> None:
    """Let copies ask and be asked where the learner's policies speak of labels, which they lack."""
    if cluster.objects("NetworkPolicy", namespace, limit=1):
        with contextlib.suppress(Conflict):
            cluster.create("NetworkPolicy", ADMITTED, namespace)


def sweep(cluster: Cluster, namespace: str) -> None:
    """Remove every copy of the course from a namespace, held ones and those of Jobs too."""
    cluster.delete("NetworkPolicy", name_of(ADMITTED), namespace)
    jobs = list(filter(is_copy, cluster.objects("Job", namespace, labels=COPY_LABEL)))
    for job in jobs:
        cluster.delete("Job", name_of(job), namespace)
    gone = {meta(job).get("uid") for job in jobs}
    for pod in cluster.objects("Pod", namespace, labels=COPY_LABEL):
        if not is_copy(pod) and (controller(pod) or {}).get("uid") not in gone:
            continue
        cluster.delete("Pod", name_of(pod), namespace)
        if FINALIZER in (meta(pod).get("finalizers") or ()):
            let_go(cluster, namespace, name_of(pod))


def let_go(cluster: Cluster, namespace: str, name: str) -> None:
    """Remove the finalizer of a copy."""
    cluster.patch("Pod", name, {"metadata": {"finalizers": None}}, namespace)


def sweep_after_crash(cluster: Cluster, namespace: str) -> None:
    """Remove copies whose maker is gone; those of a check that acts now stay."""
    if nobody_acts(cluster, namespace):
        sweep(cluster, namespace)


def mend(cluster: Cluster, namespace: str) -> None:
    """Put back what a check that crashed had disturbed, and remove its copies.

    Leaves a check alone that acts now: it puts back everything itself.
    """
    if nobody_acts(cluster, namespace):
        try:
            restore(cluster, namespace)
        finally:
            sweep(cluster, namespace)


def nobody_acts(cluster: Cluster, namespace: str) -> bool:
    """Whether no check acts in a namespace, or the one that did has crashed."""
    held = cluster.get("Lease", LEASE, namespace)
    return held is None or stale(held, time.time())


@contextlib.contextmanager
def disturbing(holder: Holder, undo: Undo) -> Iterator[None]:
    """Disturb one of the learner's objects: it is put back afterwards, also after a crash.

    The record of how stands in the cluster before anything is disturbed.
    """
    proofs = Proofs(holder.cluster, holder.namespace)
    proofs.promise(undo)
    try:
        yield
    finally:
        for tries in range(RESTORES, 0, -1):
            try:
                restore(holder.cluster, holder.namespace)
                break
            except (Busy, NoCluster):
                # What is the learner's is put back, however long a busy API server takes.
                if tries == 1:
                    raise
                time.sleep(PAUSE)


def copy_of(pod: Object, budget: float, *, held: bool = False, lasting: bool = False) -> Object:
    """A copy of a Pod, or of a template with a name: same spec, labels that no Service selects.

    The copy ends by itself after `budget` seconds, should nobody be left to remove it. A `held`
    one stays after its deletion, so that the exit codes of its containers can be read. A `lasting`
    one has what a run of the original has: its volumes, and no empty ones in the place of those it
    could write to, as much memory, and the node's network where it names no port there.
    """
    original = cleaned({"kind": "Pod"} | pod)
    spec, labels = original["spec"], meta(original).get("labels") or {}
    noted: dict[str, str] = {}
    for volume in spec.get("volumes", ()):
        noted |= told_by_notes(volume, labels)
    for container in (*spec["containers"], *spec.get("initContainers", ())):
        told_by_labels(container, labels)
        for port in container.get("ports", ()):
            # A host port is taken by the original, and no part of what is asked.
            port.pop("hostPort", None)
        modest(container, limited=not lasting)
    for volume in spec.get("volumes", ()):
        for shared in [one for one in volume if one in SHARED and not lasting]:
            if shared in READ and only_read(spec, volume):
                continue
            del volume[shared]
            volume["emptyDir"] = {}
    spec["activeDeadlineSeconds"] = int(budget)
    # A name that is set would be the original's, and so are the node's own ports. A copy's name is
    # longer: with its domain it may be no host name any more. Who opens a gate knows no copy.
    for taken in ("hostname", "setHostnameAsFQDN", "readinessGates"):
        spec.pop(taken, None)
    boxes = (*spec["containers"], *spec.get("initContainers", ()))
    if not lasting or any(one.get("ports") for one in boxes):
        spec.pop("hostNetwork", None)
    # The originals may fill every node that they allow each other.
    spec.pop("topologySpreadConstraints", None)
    (spec.get("affinity") or {}).pop("podAntiAffinity", None)
    name = name_of(pod)
    metadata: Object = {
        "name": f"{name[:50].rstrip('.-')}-copy-{secrets.token_hex(3)}",
        "labels": {COPY_LABEL: name[:63].rstrip(".-")},
    }
    if annotations := (meta(original).get("annotations") or {}) | noted:
        metadata["annotations"] = annotations
    if held:
        metadata["finalizers"] = [FINALIZER]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def only_read(spec: Object, volume: Object) -> bool:
    """Whether the containers of a Pod mount a volume, and none of them may write to it."""
    boxes = (*spec["containers"], *spec.get("initContainers", ()))
    mounts = [one for box in boxes for one in box.get("volumeMounts", ())]
    several = [one for one in mounts if one["name"] == volume["name"]]
    whole = any(dig(volume, kind, "readOnly") for kind in READ)
    return bool(several) and (whole or all(one.get("readOnly") for one in several))


def told_by_labels(container: Object, labels: Mapping[str, str]) -> None:
    """Set the variables that a container reads from the Pod's labels, which a copy has not."""
    for one in container.get("env") or ():
        field = str(dig(one, "valueFrom", "fieldRef", "fieldPath"))
        found = LABEL_FIELD.fullmatch(field)
        # A Job's controller gives a copy its own.
        if found and found[1].rpartition("/")[2] not in OF_A_JOB:
            del one["valueFrom"]
            one["value"] = labels.get(found[1], "")


def told_by_notes(volume: Object, labels: Mapping[str, str]) -> dict[str, str]:
    """Let the files that a volume makes of the Pod's labels be made of annotations; those."""
    sources = [volume.get("downwardAPI") or {}]
    sources += [one.get("downwardAPI") or {} for one in dig(volume, "projected", "sources") or ()]
    found = {}
    for number, item in enumerate(item for one in sources for item in one.get("items") or ()):
        field = str(dig(item, "fieldRef", "fieldPath"))
        label = LABEL_FIELD.fullmatch(field)
        if field != "metadata.labels" and not label:
            continue
        # As the kubelet writes all of them into one file.
        lines = "\n".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
        key = f"kubelab.dev/{volume['name'][:50]}.{number}"
        found[key] = labels.get(label[1], "") if label else lines
        item["fieldRef"]["fieldPath"] = f"metadata.annotations['{key}']"
    return found


def soon_ready(copy: Object) -> Object:
    """The same copy, asked for its readiness as soon as it runs: nobody waits for its delay."""
    for container in copy["spec"]["containers"]:
        for gate in ("startupProbe", "readinessProbe"):
            probe = container.get(gate) or {}
            if probe.get("initialDelaySeconds", 0) > SOON:
                probe["initialDelaySeconds"] = SOON
    return copy


def beside(
    holder: Holder, manifest: Path, name: str, labels: Mapping[str, str], mark: str | None = None
) -> Object:
    """A Pod of the course's own with labels of the learner's, made from a manifest.

    It belongs to the Lease of who acts, so that no ReplicaSet adopts it, and bears the label of a
    copy (`mark`, else its name), so that it is swept away with the copies.
    """
    body: Object = yaml.load(manifest.read_text(encoding="utf-8"), Loader=LOADER)
    lease = holder.cluster.get("Lease", LEASE, holder.namespace) or {}
    body["metadata"] = {
        "name": f"{name}-{secrets.token_hex(3)}",
        "labels": {**labels, COPY_LABEL: (mark or name)[:63].rstrip(".-")},
        "ownerReferences": [
            {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "name": LEASE,
                "uid": meta(lease).get("uid", ""),
                "controller": True,
            }
        ],
    }
    return body


def runs(pod: Object) -> bool:
    """Whether a Pod's only container runs and has an address."""
    state = dig(pod, "status", "containerStatuses", 0, "state") or {}
    return "running" in state and bool(dig(pod, "status", "podIP"))


def make_fit(cluster: Cluster, namespace: str, pods: Sequence[Object]) -> None:
    """Let Pods ask what the namespace admits; raises EnvironmentFault where it has no room."""
    limits = cluster.objects("LimitRange", namespace)
    for pod in pods:
        fit(pod, limits)
    fault = fault_of_room(cluster.objects("ResourceQuota", namespace), pods)
    if fault is not None:
        raise EnvironmentFault(
            f"Your namespace has no room for the course's copy: {fault}. It costs you nothing.",
            look=f"kubectl -n {namespace} describe quota",
        )


def make(cluster: Cluster, namespace: str, *copies: Object) -> None:
    """Create copies; raises EnvironmentFault where the namespace has no room for them."""
    make_fit(cluster, namespace, copies)
    for copy in copies:
        try:
            cluster.create("Pod", copy, namespace)
        except Away:
            raise
        except Refused as error:
            raise EnvironmentFault(
                f"The course's copy of the Pod is refused: {error}",
                look=f"kubectl -n {namespace} describe quota",
            ) from None


def until(
    holder: Holder, name: str, done: Callable[[Object], bool], limit: float
) -> tuple[Object | None, bool]:
    """Look at a copy until `done` holds, at most `limit` seconds; the copy, and whether it did."""
    end = time.monotonic() + limit
    while True:
        pod = holder.cluster.get("Pod", name, holder.namespace)
        if pod is None or done(pod):
            return pod, pod is not None
        if time.monotonic() > end:
            return pod, False
        holder.renew()
        time.sleep(STEP)
