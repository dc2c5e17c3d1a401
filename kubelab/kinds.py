"""Which kinds of objects a namespace can hold, as this cluster's discovery says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelab.api import Cluster
from kubelab.objects import Object

# What controllers and the course make; a learner's own objects come back without it.
NOT_SAVED = frozenset(
    ("Event", "Endpoints", "EndpointSlice", "Lease", "PodMetrics", "ControllerRevision", "Binding")
)


def everything(cluster: Cluster, namespace: str) -> Iterator[Object]:
    """Every object of a namespace that may be somebody's work, whole, kind after kind."""
    for resource in listable(cluster):
        for body in cluster.at(resource.path(namespace=namespace)):
            # A list's members do not say what they are.
            yield {"apiVersion": resource.group_version, "kind": resource.kind} | body


def listable(cluster: Cluster) -> Iterator[Any]:
    """Every kind that has a namespace and can be listed and created, in its preferred version."""
    seen: set[tuple[str, str]] = set()
    for several in cluster.discovery.resources:
        for one in several if isinstance(several, list) else [several]:
            key = (one.group or "", one.kind)
            if key not in seen and is_listable(one):
                seen.add(key)
                yield one


def is_listable(one: Any) -> bool:
    """Whether a kind may hold work of the learner's (the client invents a `...List` for each)."""
    if one.kind.endswith("List") or one.kind in NOT_SAVED:
        return False
    verbs = set(one.verbs or ())
    return bool(one.namespaced and one.preferred and {"list", "create"} <= verbs)
