"""Who brings it back? The answers behind several names over time, each from its own kill on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kubelab.endpoints import selects
from kubelab.history import PodRecord, Request, Requests
from kubelab.objects import Object, name_of
from kubelab.pictures.drawing import GRAIN, VERSIONS, WIDTH, Drawing, clock, counted

LEFT, RIGHT, HIGH, ROW, DOWN = 132, 20, 24, 74, 15
BEFORE, AFTER = 10.0, 30.0
# Requests further apart than this leave a gap in a bar.
GAP = 3.0


@dataclass(frozen=True)
class Stretch:
    """Requests that ended alike, in seconds from the kill; `pod` None: nobody answered."""

    start: float
    end: float
    pod: str | None
    count: int


@dataclass(frozen=True)
class Row:
    """What visitors of one Service met around the newest kill of one of its Pods.

    `killed` None: no Pod has been killed yet, and the row shows the newest requests. `zero` is the
    moment 0 in seconds since the epoch, and `end` is now, both at most AFTER apart. `again` is when
    somebody made another Pod of the killed one's name, in seconds from the kill.
    """

    service: str
    maker: str
    zero: float
    end: float
    killed: str | None
    stretches: tuple[Stretch, ...]
    again: float | None = None

    @property
    def back(self) -> Stretch | None:
        """The first answers after the kill that are not the killed Pod's last ones."""
        for one in self.stretches if self.killed else ():
            # Those come in any order with the first that are lost.
            last = one.pod == self.killed and (self.again is None or one.end <= self.again)
            if one.pod is not None and one.end > 0 and not last:
                return one
        return None

    @property
    def over(self) -> bool:
        """Whether the row shows all that it is to show."""
        return self.killed is not None and self.end >= AFTER

    @property
    def words(self) -> str:
        """How it ended."""
        if self.killed is None:
            return "no Pod was killed yet"
        if self.back is not None:
            since = self.again or 0.0 if self.back.pod == self.killed else 0.0
            return f"answers again after {clock(max(self.back.start, since))}, by {self.back.pod}"
        lost = sum(one.count for one in self.stretches if one.pod is None and one.end > 0)
        return f"nobody brought it back in {clock(self.end)}: {counted(lost, 'request')} lost"


def row(service: Object, pods: Sequence[PodRecord], requests: Requests, now: float) -> Row:
    """What is on record of one Service: the newest kill of a Pod that it selects."""
    own = [
        one
        for one in pods
        if selects(service, {"metadata": {"labels": one.labels_at(one.created)}})
    ]
    ended = [one for one in own if left(one) is not None]
    last = max(ended, key=lambda one: left(one) or 0.0, default=None)
    maker = max(own, key=lambda one: one.created, default=None)
    zero = (left(last) or now) if last else now
    begin, end = zero - BEFORE, min(now, zero + AFTER)
    anew = [one.created for one in own if last and one.name == last.name and one.created > zero]
    several = requests.between(begin, end).lines
    return Row(
        service=name_of(service),
        maker=made_by(maker),
        zero=zero,
        end=end - zero,
        killed=last.name if last else None,
        stretches=stretches(several, zero, begin, end),
        again=min(anew) - zero if anew else None,
    )


def left(pod: PodRecord) -> float | None:
    """When a Pod was told to end, or was gone."""
    return pod.deleting if pod.deleting is not None else pod.gone


def made_by(pod: PodRecord | None) -> str:
    """Who made a Pod, in words."""
    if pod is None:
        return "no Pod yet"
    return f"Deployment {pod.deployment.name}" if pod.deployment else "a Pod made by hand"


def stretches(
    lines: Sequence[Request], zero: float, begin: float, end: float
) -> tuple[Stretch, ...]:
    """Requests joined to stretches of one kind, in seconds from `zero`."""
    found: list[Stretch] = []
    for one in sorted(lines, key=lambda one: one.at):
        start, stop = max(one.at, begin) - zero, min(one.until, end) - zero
        pod = (one.pod or "several") if one.ok else None
        new = Stretch(start, max(start, stop), pod, one.count)
        last = found[-1] if found else None
        if last and new.start - last.end < GAP:
            # What was asked last counts until somebody asks again.
            same = last.pod == new.pod
            found[-1] = Stretch(
                last.start, new.end if same else new.start, last.pod, last.count + same * new.count
            )
            if same:
                continue
        found.append(new)
    return tuple(found)


def told(rows: Sequence[Row]) -> str:
    """All rows as lines of text."""
    lines = []
    for one in rows:
        when = datetime.fromtimestamp(one.zero).strftime("%H:%M:%S")
        what = f"0 s is {when}, when {one.killed} was killed" if one.killed else f"0 s is {when}"
        lines.append(f"service/{one.service}  {one.maker}  {what}")
        for each in one.stretches:
            who = f"answered by {each.pod}" if each.pod else "without an answer"
            span = f"{clock(each.start)} to {clock(each.end)}"
            lines.append(f"  {span:>14}  {counted(each.count, 'request')} {who}")
        if not one.stretches:
            lines.append("  no requests are on record")
        lines.append(f"  {'result':>14}  {one.words}")
    return "\n".join(lines)


def svg(rows: Sequence[Row]) -> str:
    """All rows as a picture of 720 pixels, one time below them; the kill is one line."""
    drawing = Drawing("Who brings it back? Answers before and after a kill", told(rows))
    scale = (WIDTH - LEFT - RIGHT) / (BEFORE + AFTER)

    def x(at: float) -> float:
        return LEFT + (min(max(at, -BEFORE), AFTER) + BEFORE) * scale

    top = 18.0
    for one in rows:
        drawing.text(LEFT, top, f"{one.maker}: {one.words}", "strong", room=WIDTH - LEFT - RIGHT)
        drawing.text(8, top + DOWN + 16, one.service, room=LEFT - 16)
        names = list(dict.fromkeys(each.pod for each in one.stretches if each.pod))
        for each in one.stretches:
            _bar(drawing, each, names, x(each.start), x(each.end), top + DOWN)
        if not one.stretches:
            drawing.text(LEFT, top + DOWN + 16, "no requests are on record", "quiet")
        if one.killed:
            words = f"{one.killed} is killed"
            drawing.path(f"M{x(0):.1f} {top + DOWN - 1:.1f} v{HIGH + 4}", "cross", words)
            drawing.path(f"M{x(0):.1f} {top + DOWN - 1:.1f} l-5 -8 h10 z", "mark", words)
        top += ROW
    foot = top - 10
    drawing.axis(LEFT, WIDTH - RIGHT, foot, clock(-BEFORE), clock(AFTER))
    if any(one.killed for one in rows):
        drawing.text(x(0), foot + 16, "0 s: the Pod is killed", "strong", anchor="middle")
    return drawing.svg(foot + 26)


def _bar(
    drawing: Drawing, one: Stretch, names: Sequence[str], left: float, right: float, top: float
) -> None:
    width = right - left - 1
    if one.pod is None:
        words = f"{counted(one.count, 'request')} without an answer"
        drawing.box(left, top, width, HIGH, "empty", words, pattern="hatch")
        label, ink = "no answer", ""
    else:
        look = names.index(one.pod) % VERSIONS
        words = f"{counted(one.count, 'request')} answered by {one.pod}"
        drawing.box(left, top, width, HIGH, f"v{look}", words, pattern=GRAIN[look])
        label, ink = one.pod, "in"
    if width > 70 and not (one.pod and GRAIN[names.index(one.pod) % VERSIONS]):
        drawing.text(left + 6, top + 16, label, ink, room=width - 10)
    elif width > 70:
        # Words on a pattern are hard to read: below the bar there is room.
        drawing.text(left, top + HIGH + 13, label, room=width)
