"""What a check reads: `@task` marks it, the fixture `lab` shows it the cluster.

@task("02.1")
def test_pod_web_is_ready(lab):
    pod = lab.pod(lab.names.pod)
    assert pod.ready
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import TypeVar

import pytest

from kubelab import acting, learner
from kubelab.api import Cluster
from kubelab.labs import Lab, Task
from kubelab.objects import Object, fingerprint, sources
from kubelab.seen import Log
from kubelab.settled import REST, Motion, following, motion
from kubelab.snapshot import Snapshot
from kubelab.views import (
    AnswersView,
    Asking,
    AsleepView,
    CallerView,
    CertificateView,
    ControlPlaneView,
    CronJobView,
    DeploymentView,
    ExitsView,
    FileView,
    IngressView,
    JobView,
    KeptView,
    MembersView,
    PlacedView,
    PodView,
    RepairedView,
    RouteView,
    ServiceView,
    ShardsView,
    SharesView,
    TakenOutView,
    TotalView,
    VisitsView,
)

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
        # Objects of which the spec alone counts: how they go on is not waited for.
        self.unmoved: set[str] = set()
        self.ask = Asking(self)
        self.acted = 0.0
        self.stable_for = task.stable_for
        # Whether requests go another way than what is written, which they may follow later.
        self.unfollowed = False
        self._borne = REST
        self.announce: Callable[[str], None] = lambda _: None
        self.acting_since: float | None = None

    def begin(self) -> None:
        """Start a new look."""
        self.log.rows.clear()
        self.looked.clear()
        self.stable_for = self.task.stable_for
        self.unfollowed = False
        self._borne = REST
        self.snapshot.refresh()

    def pod(self, name: str, image: str | None = None) -> PodView:
        """The Pod of this name; `image` tells which of its containers the task is about.

        Absent fields and an absent Pod are values, not exceptions.
        """
        return PodView(self, name, image)

    def motion(self, *, patient: bool = False) -> Motion:
        """What still moves among the objects that were looked at.

        `patient`: what a busy machine may explain is given time, too, before anything is refused.
        """
        seen = [
            (kind, body)
            for subject, (kind, _, body) in self.looked.items()
            if body is not None and subject not in self.unmoved
        ]
        found = motion(seen, time.time(), self.stable_for, patient=patient)
        if patient and self.unfollowed and not found.what:
            found = following(seen, time.time())
        return self._borne if patient and not found.what else found

    def file(self, pod: PodView, port: int, path: str) -> FileView:
        """A file that a Pod serves."""
        return FileView(self, pod, port, path)

    def deployment(self, name: str, image: str | None = None) -> DeploymentView:
        """The Deployment of this name; `image` tells which container the task is about."""
        return DeploymentView(self, name, image)

    def service(self, name: str) -> ServiceView:
        """The Service of this name, with its EndpointSlices."""
        return ServiceView(self, name)

    def shares(self, name: str, image: str) -> SharesView:
        """The Service of this name, with the versions of an image that stand behind it."""
        return SharesView(self, name, image)

    def members(self, name: str) -> MembersView:
        """The Pods of a Deployment, for a Service to reach."""
        return MembersView(self, name)

    def kept(self, name: str, image: str) -> KeptView:
        """A Deployment that brings its Pods back; `image` tells which container is meant."""
        return KeptView(self, name, image)

    def visits(self, service: ServiceView, web: MembersView, port: int) -> VisitsView:
        """The visits that the page behind a Service counts."""
        return VisitsView(self, service, web, port)

    def caller(self, name: str, image: str, port: int) -> CallerView:
        """The Pods of a Deployment that call a backend; `port` is the image's own."""
        return CallerView(self, name, image, port)

    def taken_out(self, answers: AnswersView) -> TakenOutView:
        """The Pods of a Deployment that were taken out of their Service."""
        return TakenOutView(self, answers)

    def repaired(self, name: str, image: str, container: str) -> RepairedView:
        """A Deployment of the start state that the learner repairs in place, and its container."""
        return RepairedView(self, name, image, container)

    def control_plane(self, name: str, deployment: str) -> ControlPlaneView:
        """The ConfigMap of this name, with what was found out about the control plane."""
        return ControlPlaneView(self, name, deployment)

    def placed(self, name: str) -> PlacedView:
        """A Pod of the start state that no scheduler places."""
        return PlacedView(self, name)

    def asleep(self, name: str) -> AsleepView:
        """The Deployment of this name, for a time in which no controller worked."""
        return AsleepView(self, name)

    def ingress(self, name: str, host: str) -> IngressView:
        """The Ingress of this name; `host` is the first label of the host that is asked."""
        return IngressView(self, name, host)

    def certificate(self, name: str, host: str) -> CertificateView:
        """The Secret of this name, and the certificate that is shown for a host."""
        return CertificateView(self, name, host)

    def route(self, name: str, host: str) -> RouteView:
        """The HTTPRoute of this name; `host` is the first label of the host that is asked."""
        return RouteView(self, name, host)

    def job(self, name: str) -> JobView:
        """The Job of this name, with its Pods."""
        return JobView(self, name)

    def shards(self, name: str, count: int) -> ShardsView:
        """The Job of this name, each of whose indexes adds up one of `count` shards."""
        return ShardsView(self, name, count)

    def total(self, name: str, count: int) -> TotalView:
        """The ConfigMap of this name, into which the total of all shards is written."""
        return TotalView(self, name, count)

    def cron_job(self, name: str) -> CronJobView:
        """The CronJob of this name."""
        return CronJobView(self, name)

    def exits(self, name: str, container: str, image: str) -> ExitsView:
        """The Job of this name, for what it makes of the exit codes of a container."""
        return ExitsView(self, name, container, image)

    def uid_at_start(self, kind: str, name: str) -> str | None:
        """The uid of an object of the start state; None where there was none."""
        return learner.baseline(self.cluster, self.namespace).get(f"{kind}/{name}")

    def hold(self, seconds: float) -> None:
        """Let the containers looked at run for so long before the state is at rest."""
        self.stable_for = max(self.stable_for, seconds)

    def bear(self, what: str, until: float) -> None:
        """Refuse nothing before a time, in seconds since the epoch: something may be told late."""
        left = until - time.time()
        if left > (self._borne.wait or 0.0):
            self._borne = Motion(what, left)

    def settle(self) -> None:
        """Go on only from a state at rest; raises Unsettled otherwise."""
        if not self.motion().settled:
            raise Unsettled

    def prove(
        self, body: Object, act: Callable[[str], acting.Proof], *, what: str = ""
    ) -> acting.Proof:
        """The proof for an object: the one on record, or the one that `act` makes now.

        A proof counts for the object's uid and spec, and for the ConfigMaps and Secrets that this
        names, as they are; in a `once` task for the uid alone. Acting takes at most the task's
        `acts` seconds. `what` tells several proofs of one task apart.
        """
        proofs = self.snapshot.proofs
        read = ".".join(part for part in (what, self._read_by(body)) if part)
        key = lasting = acting.key(self.task.id, body, what=read)
        if self.task.once:
            lasting = acting.key(self.task.id, body, what=what, spec=False)
        proof = proofs.find(lasting) or proofs.find(key)
        if proof is None:
            self.settle()
            if self.task.first:
                self.announce(self.task.first)
            began = self.acting_since = time.monotonic()
            try:
                with acting.limited(self.task.acts):
                    proof = act(key)
            finally:
                self.acting_since = None
                self.acted += time.monotonic() - began
            # What was refused may be right with another spec; what was proved once stays.
            proofs.keep(replace(proof, key=lasting) if proof.passed else proof)
        return proof

    def _read_by(self, body: Object) -> str:
        """A hash of what the ConfigMaps and Secrets hold that an object names; empty for none."""
        several = sorted(set(sources(body.get("spec"))))
        found = [self.snapshot.get(kind, name) or {} for kind, name in several]
        held = [[one.get("data"), one.get("binaryData")] for one in found]
        return fingerprint([several, held]) if several else ""

    @property
    def acting_time(self) -> float:
        """The seconds spent on acting; an act that goes on counts up to its own limit."""
        since = self.acting_since
        if since is None:
            return self.acted
        limit = acting.PATIENCE + self.task.acts
        return self.acted + min(time.monotonic() - since, limit)

    def look(self, kind: str, name: str) -> Object | None:
        """One object, noted as one that the check depends on; None where there is none."""
        body = self.snapshot.get(kind, name)
        self.looked[f"{kind.lower()}/{name}"] = (kind, name, body)
        return body
