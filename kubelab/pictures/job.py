"""What ran beside what? A lane for each Pod of a Job, from its real start to its real end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kubelab import jobs
from kubelab.jobs import Run
from kubelab.objects import Object, dig, name_of
from kubelab.pictures.drawing import WIDTH, Drawing, clock, counted, fits

LEFT, RIGHT, LANE = 176, 20, 24
# Kept free at the right where a lane that ends there is too short for its words.
BEHIND = 64
MOST_LANES = 24


@dataclass(frozen=True)
class Gantt:
    """What is known about a Job; times are seconds since the epoch."""

    name: str
    state: str
    runs: tuple[Run, ...]
    succeeded: int
    wanted: int | None
    zero: float
    end: float
    over: bool

    @property
    def most(self) -> int:
        """The most Pods that were at work at one moment."""
        return jobs.pods_at_once(self.runs)

    @property
    def head(self) -> str:
        """All of it in one line."""
        of = f" of {self.wanted}" if self.wanted is not None else ""
        return (
            f"job/{self.name}: {self.state}, {self.succeeded}{of} succeeded, "
            f"at most {counted(self.most, 'Pod')} at a time"
        )


def gantt(job: Object, pods: Iterable[Object], now: float) -> Gantt:
    """A Job and its Pods as of now."""
    runs = sorted((jobs.run_of(one) for one in pods), key=order)
    end = jobs.ending(job)
    state = str(end.get("type") or ("suspended" if dig(job, "spec", "suspend") else "running"))
    if state == "Failed":
        state = f"Failed ({end.get('reason')})"
    zero = min((one.created for one in runs), default=now)
    last = max((one.ended for one in runs if one.ended is not None), default=now)
    return Gantt(
        name=name_of(job),
        state=state,
        runs=tuple(runs),
        succeeded=dig(job, "status", "succeeded") or 0,
        wanted=dig(job, "spec", "completions"),
        zero=zero,
        end=max(last if end else now, zero + 1.0),
        over=bool(end),
    )


def order(run: Run) -> tuple[int, float, str]:
    """By index, where there is one, then by time."""
    return (-1 if run.index is None else run.index, run.created, run.pod)


def label(run: Run) -> str:
    """What a lane is called."""
    return run.pod if run.index is None else f"index {run.index}"


def how(run: Run) -> str:
    """How a run ended, or how it stands."""
    if run.code is not None:
        return f"exit {run.code}"
    return run.phase.lower() if run.ended is not None else "running" if run.started else "waits"


def told(seen: Gantt) -> str:
    """The Job as lines of text."""
    lines = [seen.head]
    for one in seen.runs:
        name = one.pod if one.index is None else f"index {one.index} ({one.pod})"
        if one.started is None:
            lines.append(f"  {name}: made at {clock(one.created - seen.zero)}, {how(one)}")
            continue
        until = f"to {clock(one.ended - seen.zero)}" if one.ended is not None else "on"
        lines.append(f"  {name}: from {clock(one.started - seen.zero)} {until}, {how(one)}")
    if not seen.runs:
        lines.append("  no Pod was made")
    return "\n".join(lines)


def svg(seen: Gantt) -> str:
    """The Job as a picture of 720 pixels; its description carries the same facts."""
    drawing = Drawing(f"job/{seen.name}: when its Pods worked", told(seen))
    right = WIDTH - RIGHT
    scale = (right - LEFT) / (seen.end - seen.zero)
    if not all(has_room(seen, one, scale) for one in seen.runs[:MOST_LANES]):
        right -= BEHIND
        scale = (right - LEFT) / (seen.end - seen.zero)
    drawing.text(8, 16, seen.head, "strong", room=WIDTH - 16)
    top = 26.0
    for one in seen.runs[:MOST_LANES]:
        drawing.text(8, top + 14, label(one), room=LEFT - 16)
        lane(drawing, seen, one, top, scale)
        top += LANE
    if len(seen.runs) > MOST_LANES:
        drawing.text(8, top + 14, f"and {len(seen.runs) - MOST_LANES} more", "quiet")
        top += LANE
    if not seen.runs:
        drawing.text(LEFT, top + 14, "no Pod was made")
        top += LANE
    drawing.axis(LEFT, right, top + 2, "0 s", clock(seen.end - seen.zero))
    return drawing.svg(top + 26)


def has_room(seen: Gantt, run: Run, scale: float) -> bool:
    """Whether how a run ended can be written into its lane, or behind it."""
    if run.started is None:
        return True
    end = run.ended if run.ended is not None else seen.end
    behind = WIDTH - RIGHT - LEFT - (end - seen.zero) * scale
    return fits(how(run), (end - run.started) * scale - 12) or fits(how(run), behind)


def lane(drawing: Drawing, seen: Gantt, run: Run, top: float, scale: float) -> None:
    """One Pod: dashed while it waits, filled while it works, hatched where it failed."""
    begin = LEFT + (run.created - seen.zero) * scale
    last = LEFT + ((run.ended if run.ended is not None else seen.end) - seen.zero) * scale
    start = last if run.started is None else LEFT + (run.started - seen.zero) * scale
    if start > begin:
        drawing.box(begin, top + 6, start - begin - 1, 8, "wait", f"{run.pod}: not started yet")
    if run.started is None:
        return
    look, pattern = ("run", "") if run.ended is None else ("yes", "")
    if run.code:
        look, pattern = "bad", "weave"
    words = how(run)
    drawing.box(start, top, last - start - 1, 20, look, f"{run.pod}: {words}", pattern=pattern)
    if fits(words, last - start - 12):
        drawing.text(start + 6, top + 14, words, "in")
    else:
        drawing.text(last + 6, top + 14, words)
