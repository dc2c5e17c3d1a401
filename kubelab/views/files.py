"""A file that a Pod serves, as a check reads it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kubelab import ask, replacing, sidecar
from kubelab.proofs import Proof, key
from kubelab.seen import Fact, Seen
from kubelab.views.answers import PATIENCE, AnswerView

if TYPE_CHECKING:
    from kubelab.checking import LabView
    from kubelab.views.pods import PodView

# A file that was seen to change is not watched again for so long.
BELIEVED = 60.0
# A file that is being rewritten may be seen half written.
TRIES = 4
STEP = 0.25
# So often a time in which nobody answered begins anew: nothing was seen in it.
BLIND = 2


class FileView:
    """One file; `path` is where the Pod serves it."""

    def __init__(self, lab: LabView, pod: PodView, port: int, path: str) -> None:
        self._lab = lab
        self._pod = pod
        self._port = port
        self._path = path
        self._answer = self._asked()

    @property
    def served(self) -> Seen:
        """Whether the Pod serves the file: the HTTP status."""
        return AnswerView(self._lab, self._pod, self._path, self._answer).status

    def line_is(self, number: int, text: str | None, what: str) -> Seen:
        """Whether a line is `text`; `what` words it."""
        found = self._line(number)
        for _ in range(TRIES):
            if found == text or not self._answer:
                break
            time.sleep(STEP)
            self._answer = self._asked()
            found = self._line(number)
        short = f"`{found[:24]}…`" if len(found) > 25 else f"`{found}`" if found else "empty"
        fact = Fact(
            self._pod.subject,
            f"line {number}",
            lambda _: "wrong-content",
            show=lambda held: f"line {number} is {what}" if held else f"line {number} is {short}",
        )
        return Seen(bool(text) and found == text, fact, self._lab.log)

    def changes_within(self, number: int, seconds: float) -> Seen:
        """Whether a line changes within so many seconds."""
        fact = Fact(
            self._pod.subject,
            f"line {number}",
            lambda _: "not-refreshed",
            show=lambda held: (
                f"line {number} changes within {seconds:.0f} s"
                if held
                else f"line {number} stays the same"
            ),
            final=True,
        )
        return Seen(self._changes(number, seconds), fact, self._lab.log)

    def _changes(self, number: int, seconds: float) -> bool:
        body = self._pod.body
        if body is None:
            return False
        proofs = self._lab.snapshot.proofs
        name = key(self._lab.task.id, body, what="live")
        known = proofs.find(name)
        if known is not None and time.time() - known.at < BELIEVED:
            return True
        self._lab.settle()
        first, blind = self._line(number), 0
        span = seconds + sidecar.ALLOWANCE
        end, last = time.monotonic() + span, False
        while not last:
            time.sleep(STEP)
            # Asked once more after the end: while nobody answers in time, nothing is seen.
            last = time.monotonic() >= end
            self._answer = self._asked(patient=not last)
            if self._line(number) not in ("", first):
                proofs.keep(Proof(name, passed=True, at=time.time()))
                return True
            if self._answer is not None and self._answer.reason in replacing.SLOW and blind < BLIND:
                blind, last = blind + 1, False
                end = time.monotonic() + span
        replacing.blame_a_busy_machine(self._lab.cluster)
        return False

    def _line(self, number: int) -> str:
        answer = self._answer
        lines = answer.body.splitlines() if answer and answer.healthy else []
        return sidecar.line(lines, number)

    def _asked(self, *, patient: bool = True) -> ask.Answer | None:
        if self._pod.ip is None:
            return None
        url = ask.address(self._pod.ip, self._port, self._path)
        (answer,) = ask.http(self._lab.cluster, url)
        if patient and answer.reason in replacing.SLOW:
            (answer,) = ask.http(self._lab.cluster, url, timeout=PATIENCE)
        return answer
