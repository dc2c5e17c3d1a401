"""A Job that takes exit codes for different things, as a check reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubelab import trying
from kubelab.objects import dig
from kubelab.seen import Seen
from kubelab.views.base import View

if TYPE_CHECKING:
    from kubelab.checking import LabView

# What the API server fills in.
BACKOFF = 6


class ExitsView(View):
    """One Job; what counts is its spec, not how it goes: with a code it may go on for ever."""

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
        none = dig(self.body, "spec", "parallelism") == 0
        return self._seen(
            none or bool(dig(self.body, "spec", "suspend")),
            "suspend",
            "suspended",
            given=True,
            show=lambda one: "suspended" if one else "not suspended",
            found="parallelism 0" if none else None,
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

    def tells_apart(self, later: int, bad: int) -> Seen:
        """Whether, on copies, one exit code is tried again uncounted and another one fails."""
        body = self.body
        if body is None:
            return self._seen(False, "exit codes", "not-found")
        trial = trying.Exits(body, self._container, self._image, later, bad)
        return self._proved(
            body,
            lambda key: trying.tells_exits_apart(
                self._lab.cluster, self._lab.namespace, trial, key
            ),
            "exit codes",
            trial.wanted,
        )
