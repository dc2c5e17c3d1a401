"""Which Pods of a Deployment were taken out of their Service, as a check reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubelab import history
from kubelab.endpoints import addresses, selects
from kubelab.history import PodRecord
from kubelab.objects import Object, containers, controller, dig, meta, name_of, restarts, seconds
from kubelab.seen import Seen
from kubelab.writers import is_generated

if TYPE_CHECKING:
    from kubelab.checking import LabView
    from kubelab.views.services import AnswersView

# The record may hear of a label so many seconds after it was changed.
HEARD = 5.0


class TakenOutView:
    """The Pods that once belonged to the Deployment, are as they were, and get no request."""

    def __init__(self, lab: LabView, answers: AnswersView) -> None:
        self._answers = answers
        self._service = answers.service
        self._deployment = answers.members
        self._restarted: list[str] = []
        self._ended: list[str] = []
        self._found = [name_of(one) for one in self._candidates(lab)]

    @property
    def some(self) -> Seen:
        """Whether there is such a Pod."""
        if self._restarted:
            reason, words = "restarted", self._restarted[0]
        elif self._ended:
            reason, words = "none-out", f"{self._ended[-1]} was taken out and has ended"
        else:
            reason, words = "none-out", f"each Pod of {self._deployment.name} gets requests"
        return self._service._seen(
            bool(self._found),
            "taken out",
            reason,
            show=lambda one: "a Pod that runs on without requests" if one else words,
        )

    def _candidates(self, lab: LabView) -> list[Object]:
        uid = self._deployment.uid
        if uid is None or self._service.body is None:
            return []
        listed = set(addresses(self._service.slices).values())
        live = {meta(one).get("uid"): one for one in lab.snapshot.kind("Pod").values()}
        found = []
        for record in history.pods_by_now(lab.cluster, lab.namespace):
            pod = live.get(record.uid)
            if not record.was_ready:
                continue
            if pod is None or meta(pod).get("deletionTimestamp"):
                if record.belonged_to(uid) and lost_its_labels(record, self._service.body):
                    self._ended.append(record.name)
                continue
            if not record.belonged_to(uid) and not self._made_for_it(lab, pod):
                continue
            if record.name in listed or record.name in self._answers.found.pods:
                continue
            lab.look("Pod", record.name)
            if dig(pod, "status", "phase") != "Running":
                continue
            if words := started_again(pod, record, self._service.body):
                self._restarted.append(words)
            else:
                found.append(pod)
        return found

    def _made_for_it(self, lab: LabView, pod: Object) -> bool:
        """Whether a ReplicaSet of the Deployment made a Pod, should the record begin too late."""
        if not is_generated(pod):
            return False
        sets = lab.snapshot.kind("ReplicaSet").values()
        ours = [one for one in sets if (controller(one) or {}).get("uid") == self._deployment.uid]
        return meta(pod).get("generateName") in [f"{name_of(one)}-" for one in ours]


def started_again(pod: Object, record: PodRecord, service: Object) -> str:
    """What is told of a Pod of which a container ended, or was started again after it had left."""
    left = left_at(record, service)
    for _, status in containers(pod):
        began = seconds(dig(status, "state", "running", "startedAt"))
        before = left is not None and began is not None and began < left - HEARD
        if began is not None and (before or not restarts(status)):
            continue
        code = dig(status, "lastState", "terminated", "exitCode")
        if code is None:
            return f"{name_of(pod)} is out and was started again"
        return f"{name_of(pod)} is out and was started again after exit code {code}"
    return ""


def lost_its_labels(record: PodRecord, service: Object) -> bool:
    """Whether a Service selected a Pod once, and no longer when the Pod was seen last."""
    chosen = [selects(service, {"metadata": {"labels": one}}) for _, one in record.labels_over_time]
    return any(chosen) and not chosen[-1]


def left_at(record: PodRecord, service: Object) -> float | None:
    """When a Pod left its Service, by its labels or by being unready; None where neither tells."""
    left = None
    for at, labels in reversed(record.labels_over_time):
        if selects(service, {"metadata": {"labels": labels}}):
            break
        left = at
    if left is None and record.ready and not record.is_ready:
        return record.ready[-1][0]
    return left
