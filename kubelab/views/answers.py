"""Questions that a check asks from inside the cluster, and their answers as it reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubelab import ask, replacing
from kubelab.seen import Fact, Seen

if TYPE_CHECKING:
    from kubelab.checking import LabView
    from kubelab.views.pods import PodView


# Seconds for a second try where the first ran out of time.
PATIENCE = 10.0


class Asking:
    """Questions that a check asks from inside the cluster."""

    def __init__(self, lab: LabView) -> None:
        self._lab = lab

    def http(self, pod: PodView, port: int, path: str = "/") -> AnswerView:
        """Ask a Pod over HTTP."""
        answer = None
        if pod.ip is not None:
            url = ask.address(pod.ip, port, path)
            (answer,) = ask.http(self._lab.cluster, url)
            if answer.reason == "timeout":
                # A busy machine is no wrong answer: once more, with time.
                (answer,) = ask.http(self._lab.cluster, url, timeout=PATIENCE)
            if answer.reason == "timeout":
                replacing.blame_a_busy_machine(self._lab.cluster)
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
