"""A Job that takes exit codes for different things, as a check reads it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kubelab import jobs, trying
from kubelab.objects import dig, name_of
from kubelab.seen import Seen
from kubelab.settled import is_unschedulable
from kubelab.views.base import View
from kubelab.views.jobs import refused

if TYPE_CHECKING:
    from kubelab.checking import LabView

# What the API server fills in.
BACKOFF = 6
# A Job that has fewer seconds in all ends before its Pod has been repeated.
REPEATED = 10


class ExitsView(View):
    """One Job; what counts is its spec, and that it starts: with a code it may go on for ever."""

    KIND = "Job"

    def __init__(self, lab: LabView, name: str, container: str, image: str) -> None:
        super().__init__(lab, name)
        lab.unmoved.add(self.subject)
        self._container, self._image = container, image

    @property
    def backoff_limit(self) -> Seen:
        """How many failures are tried again."""
        found = dig(self.body, "spec", "backoffLimit")
        return self._seen(
            BACKOFF if found is None else found, "backoffLimit", "wrong-backoff-limit", given=True
        )

    @property
    def restart_policy(self) -> Seen:
        """What the kubelet does with a container that has ended."""
        return self._seen(
            dig(self.body, "spec", "template", "spec", "restartPolicy"),
            "restartPolicy",
            "wrong-restart-policy",
            given=True,
        )

    @property
    def suspended(self) -> Seen:
        """Whether the Job makes no Pods: it is told to wait, or no Pod may be at work."""
        why = jobs.paused(dig(self.body, "spec"))
        return self._seen(
            bool(why),
            "suspend",
            "suspended",
            given=True,
            show=lambda one: "suspended" if one else "not suspended",
            found=why or None,
        )

    @property
    def has_failure_policy(self) -> Seen:
        """Whether the Job says anything about exit codes."""
        return self._seen(
            bool(dig(self.body, "spec", "podFailurePolicy", "rules")),
            "podFailurePolicy",
            "no-failure-policy",
            given=True,
            show=lambda one: "a podFailurePolicy" if one else "no podFailurePolicy",
        )

    @property
    def starts(self) -> Seen:
        """Whether a Pod of its own has run: a Job that starts none takes no exit code."""
        reason, words = self._start_fault()
        return self._seen(
            not reason,
            "Pods",
            reason,
            show=lambda one: "its Pods start" if one else words,
        )

    def _start_fault(self) -> tuple[str, str]:
        """What keeps its Pods from running, a reason and words; empty where one has run."""
        lab, now = self._lab, time.time()
        pods = jobs.pods_of(self.body, lab.snapshot.kind("Pod").values())
        if self.body is None or any(map(trying.has_run, pods)):
            return "", ""
        if fault := trying.fault_that_lasts(pods):
            return "container-config", f"its Pods do not start: {fault}"
        status = dig(self.body, "status") or {}
        if jobs.ending(self.body) or status.get("succeeded") or status.get("failed"):
            return "", ""
        if trouble := trying.stuck(pods, now):
            lab.look("Pod", name_of(pods[0]))
            return trouble.reason, f"its Pods do not start: {trouble.words}"
        if why := refused(lab, self.body, pods):
            return "not-created", f"its Pods cannot be created: {why}"
        for one in pods:
            # That no node takes a Pod counts as settled at once, and is believed later.
            if not is_unschedulable(one):
                lab.look("Pod", name_of(one))
        lab.bear(f"Job {self.name} starts its first Pod", now + trying.UNPLACED)
        return "not-complete", "no Pod of it has started yet"

    def tells_apart(self, later: int, bad: int) -> Seen:
        """Whether, on copies, one exit code is tried again uncounted and another one fails."""
        body = self.body
        if body is None:
            return self._seen(False, "exit codes", "not-found")
        trial = trying.Exits(body, self._container, self._image, later, bad)
        # The copies are tried without it: what is never counted may be tried for long.
        most = dig(body, "spec", "activeDeadlineSeconds")
        if most is not None and most < REPEATED:
            words = f"activeDeadlineSeconds {most} ends it before exit {later} is tried again"
            return self._seen(
                False, "exit codes", "stopped-too-early", given=True,
                show=lambda one: trial.wanted if one else words,
            )  # fmt: skip
        return self._proved(
            body,
            lambda key: trying.tells_exits_apart(
                self._lab.cluster, self._lab.namespace, trial, key
            ),
            "exit codes",
            trial.wanted,
        )
