"""What a check reads: `@task` marks it, the fixture `lab` shows it the cluster.

@task("02.1")
def test_pod_web_is_ready(lab):
    pod = lab.pod(lab.names.pod)
    assert pod.ready
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import TypeVar

import pytest

from kubelab import acting
from kubelab.api import Cluster
from kubelab.labs import Lab, Task
from kubelab.objects import Object
from kubelab.seen import Log
from kubelab.settled import Motion, motion
from kubelab.snapshot import Snapshot
from kubelab.views import Asking, PodView

__all__ = ["LabView", "Unsettled", "task"]

Test = TypeVar("Test", bound=Callable[..., None])


def task(task_id: str) -> Callable[[Test], Test]:
    """Mark a test as the check of one task of `lab.yaml`."""

    def mark(test: Test) -> Test:
        marked: Test = pytest.mark.kubelab_task(task_id)(test)
        return marked

    return mark


class Unsettled(Exception):
    """All asserts so far hold, and the state is not at rest yet: the machinery waits."""


class LabView:
    """One look of one check at one lab's namespace; it remembers everything that was read."""

    def __init__(self, cluster: Cluster, lab: Lab, task: Task, snapshot: Snapshot) -> None:
        self.cluster = cluster
        self.task = task
        self.snapshot = snapshot
        self.namespace = snapshot.namespace
        self.names: SimpleNamespace = lab.attributes()
        self.log = Log()
        self.looked: dict[str, tuple[str, str, Object | None]] = {}
        self.ask = Asking(self)
        self.acted = 0.0

    def begin(self) -> None:
        """Start a new look."""
        self.log.rows.clear()
        self.looked.clear()
        self.snapshot.refresh()

    def pod(self, name: str, image: str | None = None) -> PodView:
        """The Pod of this name; `image` tells which of its containers the task is about.

        Absent fields and an absent Pod are values, not exceptions.
        """
        return PodView(self, name, image)

    def motion(self) -> Motion:
        """What still moves among the objects that were looked at."""
        seen = [(kind, body) for kind, _, body in self.looked.values() if body is not None]
        return motion(seen, time.time(), self.task.stable_for)

    def settle(self) -> None:
        """Go on only from a state at rest; raises Unsettled otherwise."""
        if not self.motion().settled:
            raise Unsettled

    def prove(self, body: Object, act: Callable[[str], acting.Proof]) -> acting.Proof:
        """The proof for an object: the one on record, or the one that `act` makes now."""
        proofs = acting.Proofs(self.cluster, self.namespace)
        key = acting.key(self.task.id, body)
        proof = proofs.find(key)
        if proof is None:
            self.settle()
            began = time.monotonic()
            try:
                proof = act(key)
            finally:
                self.acted += time.monotonic() - began
            proofs.keep(proof)
        return proof

    def look(self, kind: str, name: str) -> Object | None:
        """One object, noted as one that the check depends on; None where there is none."""
        body = self.snapshot.get(kind, name)
        self.looked[f"{kind.lower()}/{name}"] = (kind, name, body)
        return body
