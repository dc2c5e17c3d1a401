"""Acting on copies: one at a time in a namespace, cleaned up after a crash, proved once."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from kubelab.api import SYSTEM, Cluster, Conflict, Refused
from kubelab.errors import EnvironmentFault
from kubelab.objects import Object, cleaned, dig, fingerprint, meta, name_of, seconds, stamp
from kubelab.snapshot import COPY_LABEL

LEASE = "kubelab-acting"
# Seconds without a renewal after which a holder is taken for crashed.
LEASE_SECONDS = 20
# A refusal may come from a slow node, so it is not believed for ever; a proof is.
REFUSAL_SECONDS = 600.0
PROOFS_KEPT = 60
STEP = 0.25


@dataclass(frozen=True)
class Proof:
    """What acting on a copy of one object (uid and spec) has shown; `at` is epoch seconds."""

    key: str
    passed: bool
    reason: str = ""
    wanted: str = ""
    found: str = ""
    at: float = 0.0

    def holds(self, now: float) -> bool:
        """Whether the proof still counts."""
        return self.passed or now - self.at < REFUSAL_SECONDS


class Proofs:
    """The proofs of one namespace: a ConfigMap in `kubelab-system`.

    There, and not in a file: every door and every checkout finds them, they go with the
    cluster whose uids they name, and a student with rights in one namespace can't write them.
    """

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.name = f"proofs-{namespace}"

    def find(self, key: str) -> Proof | None:
        """The proof under this key, if it still counts."""
        data = dig(self.cluster.get("ConfigMap", self.name, SYSTEM), "data") or {}
        try:
            proof = Proof(**json.loads(data[key]))
        except (KeyError, TypeError, ValueError):
            return None
        return proof if proof.holds(time.time()) else None

    def keep(self, proof: Proof) -> None:
        """Record a proof; the oldest go when there are many."""
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": self.name, "labels": {"kubelab.dev/proofs": "true"}},
        }
        with contextlib.suppress(Conflict):
            self.cluster.create("ConfigMap", body, SYSTEM)
        data = dig(self.cluster.get("ConfigMap", self.name, SYSTEM), "data") or {}
        by_age = sorted(data, key=lambda key: json.loads(data[key])["at"])
        change: dict[str, str | None] = dict.fromkeys(by_age[: -PROOFS_KEPT + 1])
        change[proof.key] = json.dumps(asdict(proof))
        self.cluster.patch("ConfigMap", self.name, {"data": change}, SYSTEM)

    def forget(self) -> None:
        """Remove all proofs of the namespace (for `reset`)."""
        self.cluster.delete("ConfigMap", self.name, SYSTEM)


def key(task: str, body: Object) -> str:
    """The key of a proof: task, uid, and a hash of what the author wrote."""
    return f"{task}.{meta(body).get('uid', '')}.{fingerprint(cleaned(body).get('spec'))}"


class Holder:
    """The one that acts in a namespace, by the Lease `kubelab-acting`."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
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
        """Renew the Lease when a third of its time is over; raises when it was lost."""
        if time.monotonic() - self.renewed > LEASE_SECONDS / 3 and not self.take():
            raise EnvironmentFault(f"The Lease {LEASE} was taken over while the check acted.")

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
def acting(cluster: Cluster, namespace: str, patience: float = 60.0) -> Iterator[Holder]:
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
    try:
        sweep(cluster, namespace)
        yield holder
    finally:
        sweep(cluster, namespace)
        holder.release()


def sweep(cluster: Cluster, namespace: str) -> None:
    """Remove every copy of the course from a namespace."""
    for pod in cluster.objects("Pod", namespace, labels=COPY_LABEL):
        cluster.delete("Pod", name_of(pod), namespace)


def sweep_after_crash(cluster: Cluster, namespace: str) -> None:
    """Remove copies whose maker is gone; those of a check that acts now stay."""
    held = cluster.get("Lease", LEASE, namespace)
    if held is None or stale(held, time.time()):
        sweep(cluster, namespace)


def copy_of(pod: Object, budget: float) -> Object:
    """A copy of a Pod: same spec, another name, labels that no Service selects.

    The copy ends by itself after `budget` seconds, should nobody be left to remove it.
    """
    spec = cleaned(pod)["spec"]
    for container in (*spec["containers"], *spec.get("initContainers", ())):
        for port in container.get("ports", ()):
            # A host port is taken by the original, and no part of what is asked.
            port.pop("hostPort", None)
    spec["activeDeadlineSeconds"] = int(budget)
    name = name_of(pod)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{name[:50]}-copy-{secrets.token_hex(3)}",
            "labels": {COPY_LABEL: name[:63]},
        },
        "spec": spec,
    }


def make(cluster: Cluster, namespace: str, copy: Object) -> None:
    """Create a copy; raises EnvironmentFault where the namespace has no room for it."""
    try:
        cluster.create("Pod", copy, namespace)
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
