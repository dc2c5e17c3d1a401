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
from typing import Any, TypeVar

import pytest

from kubelab import acting, ask, liveness
from kubelab.labs import Lab, Task
from kubelab.objects import (
    Object,
    containers,
    dig,
    meta,
    probe_kind,
    probe_port,
    repository,
)
from kubelab.observe import Cluster
from kubelab.seen import Fact, Log, Seen
from kubelab.settled import Motion, motion, pod_trouble
from kubelab.snapshot import Snapshot

__all__ = ["LabView", "PodView", "Unsettled", "task"]

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
        return PodView(self, name, self._look("Pod", name), image)

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

    def _look(self, kind: str, name: str) -> Object | None:
        body = self.snapshot.get(kind, name)
        self.looked[f"{kind.lower()}/{name}"] = (kind, name, body)
        return body


class PodView:
    """One Pod as a check reads it."""

    def __init__(
        self, lab: LabView, name: str, body: Object | None, image: str | None = None
    ) -> None:
        self._lab = lab
        self._image = repository(image)
        self.name = name
        self.body = body
        self.subject = f"pod/{name}"

    def label(self, key: str) -> Seen:
        """The value of a label."""
        value = dig(self.body, "metadata", "labels", key)
        return self._seen(
            value,
            f"label {key}",
            "wrong-label",
            given=True,
            show=lambda one: f"label {key}={one}" if one is not None else f"no label {key}",
        )

    def runs(self, image: str) -> Seen:
        """Whether the container runs this image, in whatever version."""
        found = dig(self.container, "image")
        return self._seen(
            repository(found) == repository(image),
            "image",
            "wrong-image",
            given=True,
            show=lambda _: f"image {image}",
            found=f"image {found}",
        )

    @property
    def ready(self) -> Seen:
        """Whether the Pod's condition Ready is true."""
        trouble = pod_trouble(self.body) if self.body is not None else None
        words = trouble.words if trouble else "not ready"
        return self._seen(
            self.body is not None and trouble is None,
            "ready",
            trouble.reason if trouble else "not-ready",
            show=lambda one: "ready" if one else words,
        )

    @property
    def readiness(self) -> Seen:
        """How the readiness probe asks: http, tcp, exec, grpc or none."""
        return self._probe("readiness")

    @property
    def liveness(self) -> Seen:
        """How the liveness probe asks: http, tcp, exec, grpc or none."""
        return self._probe("liveness")

    def restarts_when_unhealthy(self, port: int, path: str) -> Seen:
        """Whether a copy, made unhealthy by a request to `path`, is restarted in time."""
        body, container = self.body, self.container
        if (
            body is None
            or container is None
            or probe_kind(container.get("livenessProbe")) != "http"
        ):
            return self._seen(False, "restarted when unhealthy", "no-liveness-probe", given=True)
        trial = liveness.Trial(body, container["name"], port, path)
        proof = self._lab.prove(
            body,
            lambda key: liveness.restarts_when_unhealthy(
                self._lab.cluster, self._lab.namespace, trial, key
            ),
        )
        return self._seen(
            proof.passed,
            "restarted when unhealthy",
            proof.reason,
            show=lambda one: trial.wanted if one else proof.found,
            final=True,
        )

    @property
    def container(self) -> Object | None:
        """The container that the task is about: the one with its image, else the first."""
        if self.body is None:
            return None
        found = [one for one, _ in containers(self.body)]
        asked = (one for one in found if repository(one.get("image")) == self._image)
        return next(asked, found[0])

    def port(self, default: int) -> int:
        """Where the container serves: the port its readiness probe asks, else its first port."""
        container = self.container or {}
        asked = probe_port(container.get("readinessProbe") or {}, container)
        found: int = asked or dig(container, "ports", 0, "containerPort") or default
        return found

    @property
    def ip(self) -> str | None:
        """The Pod's address."""
        found: str | None = dig(self.body, "status", "podIP")
        return found

    def _probe(self, which: str) -> Seen:
        kind = probe_kind((self.container or {}).get(f"{which}Probe"))
        reason = f"wrong-{which}-probe" if kind else f"no-{which}-probe"
        return self._seen(
            kind,
            f"{which} probe",
            reason,
            given=True,
            show=lambda one: f"{which} probe over {one.upper()}" if one else f"no {which} probe",
        )

    def _seen(
        self,
        value: Any,
        label: str,
        reason: str,
        *,
        given: bool = False,
        final: bool = False,
        show: Callable[[Any], str] | None = None,
        found: str | None = None,
    ) -> Seen:
        if self.body is None:
            value, reason, given = None, "not-found", True
        elif meta(self.body).get("deletionTimestamp"):
            given = False
        fact = Fact(self.subject, label, lambda _: reason, given, show, final, found)
        return Seen(value, fact, self._lab.log)


class Asking:
    """Questions that a check asks from inside the cluster."""

    def __init__(self, lab: LabView) -> None:
        self._lab = lab

    def http(self, pod: PodView, port: int, path: str = "/") -> AnswerView:
        """Ask a Pod over HTTP."""
        answer = None
        if pod.ip is not None:
            (answer,) = ask.http(self._lab.cluster, ask.address(pod.ip, port, path))
        return AnswerView(self._lab, pod, f":{port}{path}", answer)


class AnswerView:
    """One answer as a check reads it."""

    def __init__(self, lab: LabView, pod: PodView, place: str, answer: ask.Answer | None) -> None:
        self._lab = lab
        self._pod = pod
        self._place = place
        self._answer = answer

    @property
    def status(self) -> Seen:
        """The HTTP status."""
        answer = self._answer
        status = answer.status if answer else None
        error = (answer.error if answer else None) or "no address yet"
        fact = Fact(
            self._pod.subject,
            f"GET {self._place}",
            lambda value: "no-answer" if value is None else "wrong-answer",
            show=lambda one: f"GET {self._place} {one if one is not None else error}",
        )
        return Seen(status, fact, self._lab.log)
