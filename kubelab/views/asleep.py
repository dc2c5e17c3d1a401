"""A Deployment that was changed while nobody looked after it, as the record shows it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kubelab import acting, history, pauses
from kubelab.errors import Busy
from kubelab.objects import dig, meta
from kubelab.proofs import Proof
from kubelab.seen import Seen
from kubelab.views.base import View

if TYPE_CHECKING:
    from kubelab.checking import LabView

REPEAT = (
    "kubectl -n {namespace} scale deployment/{name} --replicas={more}"
    "   # while kube-controller-manager is stopped"
)


class AsleepView(View):
    """One Deployment; what was once proved for its uid stays proved."""

    KIND = "Deployment"

    def __init__(self, lab: LabView, name: str) -> None:
        super().__init__(lab, name)
        self._now = time.time()
        self._on_record = False
        self._pause: pauses.Pause | None = None
        if self.body is None:
            return
        key = acting.key(lab.task.id, self.body, spec=False, what="pause")
        self._on_record = lab.snapshot.proofs.find(key) is not None
        if not self._on_record:
            self._pause = self._best()
            if self._pause and self._pause.held(self._now) and self._pause.converged:
                lab.snapshot.proofs.keep(Proof(key, True, at=self._now))

    def _best(self) -> pauses.Pause | None:
        lab, uid = self._lab, meta(self.body or {}).get("uid")
        several = history.deployments(lab.cluster, lab.namespace)
        record = next((one for one in several if one.uid == uid), None)
        if record is None:
            return None
        if record.changes and record.changes[-1].replicas != dig(self.body, "spec", "replicas"):
            raise Busy(
                f"The course's recorder has not seen the newest change of {self.name} yet: "
                "check again.",
                look="./lab doctor",
            )
        pods = history.pods_by_now(lab.cluster, lab.namespace)
        audit = history.audit(lab.cluster, lab.namespace, record.created - 1.0)
        since = audit.since(*pauses.WHOSE)
        return pauses.best(pauses.pauses(record, pods, audit.entries, since), self._now)

    @property
    def asked(self) -> Seen:
        """Whether the record shows that more Pods were asked for."""
        return self._told(
            self._pause is not None,
            "not-seen",
            "more Pods were asked for",
            "no update that asks for more Pods than before was seen",
        )

    @property
    def left_alone(self) -> Seen:
        """Whether no controller did anything about it for the time that the criterion asks."""
        pause = self._pause
        words, waits = "nobody waited for", False
        if pause is not None:
            later = max(0.0, pause.quiet(self._now))
            waits = pause.woke is None and not pause.pods_meanwhile
            if pause.pods_meanwhile:
                words = f"{pause.pods_meanwhile} of its Pods came meanwhile"
            elif waits:
                words = f"no controller at work for {later:.1f} s by now"
            else:
                words = f"a controller at work {later:.1f} s later"
        return self._told(
            pause is not None and pause.held(self._now),
            "never-quiet",
            f"no Pod for {pauses.LEAST:.0f} s afterwards",
            words,
            given=not waits,
        )

    @property
    def converged(self) -> Seen:
        """Whether the Pods came when the controllers were back."""
        return self._told(
            self._pause is not None and self._pause.converged,
            "not-converged",
            "then all of them ready",
            "then not as many ready as were asked for",
            # More may come: it is no outcome while a controller is at work.
            given=False,
        )

    def _told(self, value: bool, reason: str, good: str, bad: str, given: bool = True) -> Seen:
        more = int(dig(self.body, "spec", "replicas") or 0) + 2
        look = REPEAT.format(namespace=self._lab.namespace, name=self.name, more=more)
        return self._seen(
            value or self._on_record,
            good,
            reason,
            given=given,
            show=lambda one: good if one else bad,
            look=look if reason == "not-seen" else "",
        )
