"""`reset`: the learner's work is saved, and the lab begins anew from its start state.

Each step can be interrupted and done again. What was saved is written down at the namespace
itself, so that a second run never takes half a namespace for the learner's work.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from kubelab import acting, controlplane, following, labs, learner, removal
from kubelab.api import Cluster, connect
from kubelab.errors import NoEngine, UsageError
from kubelab.labs import Lab
from kubelab.objects import Object, dig, meta
from kubelab.progress import Progress, Stage
from kubelab.proofs import NotPutBack
from kubelab.site import Site

SAVE, REMOVE, START = "save", "remove", "start"


@dataclass(frozen=True)
class Reset:
    """What a reset did: the namespace, and the file with the learner's work, if there was any."""

    lab: Lab
    namespace: str
    saved: Path | None


def stages() -> list[Stage]:
    """The stages of `reset`, with their estimates."""
    return [
        Stage(SAVE, "Save your objects", 1),
        Stage(REMOVE, "Remove the namespace", removal.ESTIMATE),
        Stage(START, "Make the start state", 1),
    ]


def reset(site: Site, number: str, namespace: str | None = None) -> Reset:
    """Save the learner's objects of a lab, remove its namespace, make the start state again.

    Raises NoCluster or ForeignCluster; UsageError for a namespace that is not this lab's; and
    EnvironmentFault where something holds the namespace, or another reset of it is at work.
    """
    lab = labs.find(site.root, number)
    name = namespace or lab.namespace
    if lab.exclusive:
        # Before anything else: without its control plane a cluster takes no reset.
        with contextlib.suppress(NoEngine):
            controlplane.mend(site)
    cluster = controlplane.connected(site, connect)
    refuse_foreign(lab, name, cluster.get("Namespace", name))
    progress = Progress(stages())
    with following.alone(site, f"reset {lab.number}", wait=False, file=f"reset-{name}.lock"):
        with progress.stage(SAVE) as stage:
            saved = save(cluster, site, lab, name)
            stage.note = str(saved) if saved else "none were there"
        with progress.stage(REMOVE):
            removal.remove(cluster, name)
        with progress.stage(START):
            learner.start(site, lab.number, namespace)
    return Reset(lab, name, saved)


def refuse_foreign(lab: Lab, name: str, namespace: Object | None) -> None:
    """Raise UsageError for a namespace that another lab, or nobody of the course, has made."""
    if namespace is None:
        return
    if dig(namespace, "metadata", "labels", learner.LAB_LABEL) != lab.number:
        raise UsageError(
            f"Namespace {name} does not belong to lab {lab.number}: nothing is done to it.",
            look=f"kubectl get namespace {name} --show-labels",
        )


def save(cluster: Cluster, site: Site, lab: Lab, name: str) -> Path | None:
    """Save the learner's objects, once a reset; the file, None where there is nothing to save."""
    namespace = cluster.get("Namespace", name)
    if namespace is None:
        return None
    before = (meta(namespace).get("annotations") or {}).get(learner.RESETTING)
    if before is not None:
        return Path(before) if before else None
    saved = save_work(cluster, site, lab, name)
    if not meta(namespace).get("deletionTimestamp"):
        mark = {learner.RESETTING: str(saved or ""), learner.STARTED: None}
        cluster.patch("Namespace", name, {"metadata": {"annotations": mark}})
    return saved


def save_work(cluster: Cluster, site: Site, lab: Lab, name: str) -> Path | None:
    """Save the learner's objects of a namespace as they are; the file, None without any."""
    # What a crashed check has disturbed belongs to the learner's work, its copies do not. Where it
    # cannot be put back, a new start is what helps.
    with contextlib.suppress(NotPutBack):
        acting.mend(cluster, name)
    folder = site.work / lab.number
    return learner.save_lab(cluster, folder if name == lab.namespace else folder / name, name)


def told(done: Reset) -> list[str]:
    """What a reset did, as lines for the learner."""
    lines = [f"Your objects are saved: {done.saved}"] if done.saved else []
    if not done.saved:
        lines.append("No objects of yours were there to save.")
    return [*lines, f"Lab {done.lab.number} is at its start: namespace {done.namespace}."]
