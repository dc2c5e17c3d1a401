"""The four verdicts, and the loop that finds one: look at once, then watch until it is clear."""

from __future__ import annotations

import contextlib
import enum
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kubelab import overdue
from kubelab.checking import LabView, Unsettled
from kubelab.errors import Busy, KubelabError, NoCluster
from kubelab.seen import Row
from kubelab.settled import REST, Motion

# Where nobody can tell how long it takes, look again after so many seconds without news.
LOOK_AGAIN = 2.0
# The last look may begin at the deadline, and each of its requests has seconds of its own.
GRACE = 15.0
# What a busy machine kept from being asked is asked again, after so many seconds each time; where
# the API server is away, once.
PAUSES = (3.0, 9.0)
AWAY = 1
# What was tried on copies for so many seconds is tried once more, not twice.
LONG = 60.0
# What changed during a look may be what was refused: look again, so often in a row at most.
OVERTAKEN = 5
# So long after the end of a wait that is known, the state is looked at again.
MOMENT = 0.05


class Verdict(enum.StrEnum):
    """What a check can say; the value stands in the result record."""

    PASS = "pass"
    FAIL = "fail"
    NOT_YET = "not_yet"
    ENV = "env"

    @property
    def words(self) -> str:
        """What the learner reads."""
        return WORDS[self]

    @property
    def exit_code(self) -> int:
        """The exit code of a `./lab` command."""
        return EXIT[self]


WORDS = {
    Verdict.PASS: "done",
    Verdict.FAIL: "not done",
    Verdict.NOT_YET: "still converging",
    Verdict.ENV: "could not check",
}
EXIT = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.NOT_YET: 3, Verdict.ENV: 4}
# The most severe last.
SEVERITY = (Verdict.PASS, Verdict.FAIL, Verdict.NOT_YET, Verdict.ENV)


@dataclass(frozen=True)
class Judgement:
    """A verdict and what led to it; `rows` are the comparisons of the last look, in order.

    `sure`: waiting does not change what was refused. `again`: how often it is tried once more where
    the check could not be made for now.
    """

    verdict: Verdict
    reason: str | None = None
    rows: tuple[Row, ...] = ()
    message: str = ""
    look: str | None = None
    motion: Motion = REST
    seconds: float = 0.0
    sure: bool = False
    again: int = 0


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """The exit code for several verdicts: the most severe one's, 0 for none."""
    return EXIT[max(verdicts, key=SEVERITY.index, default=Verdict.PASS)]


def judge(
    check: Callable[[], None], lab: LabView, deadline: float, patience: float = 0.0
) -> Judgement:
    """Run a check until its verdict is clear, at most `deadline` seconds.

    The first look is immediate. What is at rest is judged at once; what moves is watched, and
    the check runs again on each change. The time that acting takes does not count. Where it is
    known when what moves will be at rest, that is awaited for up to `patience` seconds more. A
    check that does not come to an end is stopped.
    """
    began = time.monotonic()

    def left() -> float:
        return began + deadline + lab.acting_time - time.monotonic()

    try:
        found = overdue.within(
            lambda: watched(check, lab, left, patience), lambda: left() + patience + GRACE
        )
    except overdue.Overdue:
        spent = time.monotonic() - began
        message = (
            f"A fault of the course: the check did not end and was stopped after {spent:.0f} s."
        )
        found = Judgement(Verdict.ENV, "environment", message=message, look="./lab doctor")
    return Judgement(**{**vars(found), "seconds": time.monotonic() - began})


def watched(
    check: Callable[[], None], lab: LabView, left: Callable[[], float], patience: float
) -> Judgement:
    """Look again on each change until the verdict is clear or no seconds are left."""
    tried = overtaken = 0
    while True:
        found = look(check, lab)
        if found.verdict == Verdict.NOT_YET:
            wait, rest = found.motion.wait, left()
            if wait is not None and rest < wait <= rest + patience:
                rest = wait + MOMENT
            if rest <= 0:
                return found
            try:
                lab.snapshot.wait(min(rest, LOOK_AGAIN if wait is None else wait + MOMENT))
                continue
            except Exception as error:
                found = broken(error)
        again = min(found.again, 1) if lab.acted > LONG else found.again
        if tried < again and left() + patience > PAUSES[tried]:
            time.sleep(PAUSES[tried])
            tried += 1
        elif overtaken < OVERTAKEN and left() > 0 and is_overtaken(found, lab):
            overtaken += 1
        else:
            return found


def is_overtaken(found: Judgement, lab: LabView) -> bool:
    """Whether something was refused that waiting may change, and the state is another by now."""
    if found.verdict != Verdict.FAIL or found.sure:
        return False
    # Where it cannot be read again, what was read counts.
    with contextlib.suppress(Exception):
        return lab.snapshot.overtaken()
    return False


def look(check: Callable[[], None], lab: LabView) -> Judgement:
    """Run a check once on the state as it is."""
    lab.begin()
    try:
        check()
    except Unsettled:
        return moving(lab)
    except AssertionError as error:
        return failed(lab, str(error))
    except Exception as error:
        return broken(error)
    motion = lab.motion()
    if not lab.log.rows:
        return Judgement(Verdict.ENV, "environment", message="The check compares nothing.")
    if motion.terminal or motion.settled:
        return Judgement(Verdict.PASS, rows=tuple(lab.log.rows))
    return moving(lab)


def moving(lab: LabView) -> Judgement:
    """It holds so far, and what it depends on is not at rest."""
    return Judgement(Verdict.NOT_YET, "unsettled", tuple(lab.log.rows), motion=lab.motion())


def failed(lab: LabView, message: str) -> Judgement:
    """An assert does not hold: refused where nothing that it depends on moves."""
    rows = tuple(lab.log.rows)
    if not rows:
        first = message.partition("\n")[0]
        return Judgement(Verdict.FAIL, "not-met", message=first)
    fact = rows[-1].fact
    # What the learner wrote does not change by waiting, and an outcome of acting is final.
    sure = fact.given or fact.final
    motion = REST if sure else lab.motion(patient=True)
    verdict = Verdict.FAIL if motion.settled else Verdict.NOT_YET
    return Judgement(verdict, fact.reason(rows[-1].value), rows, motion=motion, sure=sure)


def broken(error: Exception) -> Judgement:
    """The check could not be made."""
    from urllib3.exceptions import HTTPError

    if isinstance(error, HTTPError):
        error = Busy("The API server's answer broke off.", look="./lab doctor")
    if isinstance(error, KubelabError):
        again = len(PAUSES) if isinstance(error, Busy) else AWAY * isinstance(error, NoCluster)
        return Judgement(
            Verdict.ENV, "environment", message=error.message, look=error.look, again=again
        )
    where = place(error)
    message = f"A fault of the course: {type(error).__name__}: {error}{where}"
    return Judgement(Verdict.ENV, "environment", message=message, look="./lab doctor")


def place(error: Exception) -> str:
    """Where an unexpected exception came from: file and line."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f" ({trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno})"
