"""`watch("apply/NAME")`: the requests of one apply, drawn until its Pod is ready."""

from __future__ import annotations

from kubelab import history
from kubelab.api import Cluster
from kubelab.labs import Lab
from kubelab.notebook_watch import Frame
from kubelab.pictures import apply as picture

# Seconds for which it is looked on when the Pod is ready: the last report is a little later.
AFTERWARDS = 1.5


class WatchedApply:
    """One apply of a Deployment, as the audit log and the recorder's watch have it."""

    def __init__(self, cluster: Cluster, lab: Lab, name: str) -> None:
        self._cluster, self._lab, self._name = cluster, lab, name
        self._ready: float | None = None

    def look(self, now: float) -> Frame:
        """The requests as of now."""
        record = history.audit(self._cluster, self._lab.namespace)
        pods = history.pods(self._cluster, self._lab.namespace)
        seen = picture.sequence(self._name, record, pods)
        if seen.over and self._ready is None:
            self._ready = now
        over = self._ready is not None and now - self._ready >= AFTERWARDS
        return Frame(picture.told(seen), picture.svg(seen) if seen.steps else "", over)
