"""Removing a lab's namespace quickly, and saying what holds one that does not go."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from kubelab import acting, kinds
from kubelab.api import Cluster
from kubelab.errors import EnvironmentFault
from kubelab.objects import Object, condition, dig, meta, name_of

# The namespace controller begins 5 s after the deletion and is done in a second or two.
ESTIMATE = 8.0
# Seconds for which the namespace may say that finalizers hold it: some of them are at work.
PATIENCE = 15.0
# Seconds after which a namespace is taken for stuck, whatever it says; a busy machine is slow.
LIMIT = 120.0
STEP = 0.25


@dataclass(frozen=True)
class Held:
    """An object on its way out that a finalizer keeps."""

    kind: str
    name: str
    finalizers: tuple[str, ...]


def begin(cluster: Cluster, namespace: str) -> None:
    """Begin to delete a namespace; one that is gone is no error.

    Its controller waits for the Pods before it deletes anything else, and a Job with
    `backoffLimitPerIndex` holds a failed Pod until the next one is there, which would be never.
    """
    cluster.delete("Namespace", namespace)
    for job in cluster.objects("Job", namespace):
        cluster.delete("Job", name_of(job), namespace)


def remove(
    cluster: Cluster, namespace: str, patience: float = PATIENCE, limit: float = LIMIT
) -> None:
    """Delete a namespace and wait until it is gone; one that is gone is no error.

    Raises EnvironmentFault, naming object and finalizer, where finalizers hold it longer than
    `patience`, or where it is still there after `limit` seconds. It can be called again.
    """
    began = time.monotonic()
    holds_since: float | None = None
    begin(cluster, namespace)
    while (found := cluster.get("Namespace", namespace)) is not None:
        # The namespace refuses new Pods by now, so nobody makes those anew that go here. None
        # of them is given its 30 s to end: the controller would wait for all of it.
        for pod in cluster.objects("Pod", namespace):
            if meta(pod).get("deletionGracePeriodSeconds") != 0:
                cluster.delete("Pod", name_of(pod), namespace, grace=0)
        acting.sweep(cluster, namespace)
        now = time.monotonic()
        finalizers = condition(found, "NamespaceFinalizersRemaining").get("status") == "True"
        holds_since = (holds_since or now) if finalizers else None
        if now - began > limit or (holds_since is not None and now - holds_since > patience):
            raise stuck(cluster, namespace)
        time.sleep(STEP)


def stuck(cluster: Cluster, namespace: str) -> EnvironmentFault:
    """The fault of a namespace that does not go: which finalizer of which object holds it."""
    body = cluster.get("Namespace", namespace) or {}
    found = list(held(cluster, namespace))
    if not found:
        why = " ".join(conditions(body)) or "its objects are still being removed."
        return EnvironmentFault(
            f"Namespace {namespace} is being deleted and does not go: {why}",
            look=f"kubectl get namespace {namespace} -o jsonpath='{{.status.conditions}}'",
        )
    first = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    names = ", ".join(f"`{one}`" for one in first.finalizers)
    many = "finalizers" if len(first.finalizers) > 1 else "finalizer"
    return EnvironmentFault(
        f"Namespace {namespace} is being deleted and does not go: {first.kind} `{first.name}`"
        f"{more} is held by its {many} {names}. Whoever put that there has to remove it. If "
        "nobody will, remove it with the command below, then run the same again.",
        look=f"kubectl -n {namespace} patch {first.kind.lower()} {first.name} --type=merge "
        """-p '{"metadata":{"finalizers":null}}'""",
    )


def held(cluster: Cluster, namespace: str) -> Iterator[Held]:
    """The objects of a namespace that were deleted and are kept by a finalizer."""
    for body in kinds.everything(cluster, namespace):
        finalizers = meta(body).get("finalizers") or ()
        if finalizers and meta(body).get("deletionTimestamp"):
            yield Held(str(body["kind"]), name_of(body), tuple(finalizers))


def conditions(namespace: Object) -> list[str]:
    """What the namespace's own conditions say about why it is still there."""
    return [
        str(one.get("message", ""))
        for one in dig(namespace, "status", "conditions") or []
        if one.get("status") == "True"
    ]
