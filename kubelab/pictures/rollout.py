"""Does anybody notice the update? A lane for each Pod by version; requests along the bottom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from kubelab.pictures.drawing import GRAIN, VERSIONS, WIDTH, Drawing, clock, counted

LEFT, RIGHT, LANE, GAP = 196, 20, 18, 4
COLUMNS, HIGH = 84, 56
MOST_LANES = 24
MOST_REASONS = 6
Scale = Callable[[float], float]


@dataclass(frozen=True)
class Lane:
    """One Pod, in seconds since the change; `look` is the number of its version's look."""

    pod: str
    version: str
    look: int
    made: float
    ready: tuple[tuple[float, float | None], ...]
    ending: float | None
    gone: float | None


@dataclass(frozen=True)
class Change:
    """What was changed in the Deployment, and when."""

    at: float
    words: str


@dataclass(frozen=True)
class Tally:
    """Requests of the course that ended alike within a span of time."""

    at: float
    until: float
    version: str | None
    count: int
    reason: str | None


@dataclass(frozen=True)
class Rollout:
    """What is known about one rollout from `begin` to `end`, in seconds since its change.

    `zero` is that change in seconds since the epoch; `service` None: no requests are recorded.
    """

    name: str
    zero: float
    begin: float
    end: float
    lanes: tuple[Lane, ...]
    changes: tuple[Change, ...]
    service: str | None
    tallies: tuple[Tally, ...]
    state: str
    over: bool

    @property
    def versions(self) -> dict[str, int]:
        """The look of each version; two revisions of one version answer alike."""
        return {lane.version.split()[0]: lane.look for lane in self.lanes}


def told(seen: Rollout) -> str:
    """The rollout as lines of text."""
    since = datetime.fromtimestamp(seen.zero).strftime("%H:%M:%S")
    lines = [f"{seen.name}  0 s is {since}"]
    lines += [f"  {clock(change.at):>9}  {change.words}" for change in seen.changes]
    for lane in seen.lanes:
        name = f"...-{lane.pod.rpartition('-')[2]}"
        lines.append(f"  {lane.version:>9}  {name}: {_told_lane(lane)}")
    lines += [f"  {label:>9}  {words}" for label, words in _told_requests(seen)]
    return "\n".join([*lines, f"  {'now' if not seen.over else 'end':>9}  {seen.state}"])


def _told_lane(lane: Lane) -> str:
    # The API's times have whole seconds: what the change made may seem to be a moment older.
    before = lane.made <= -1
    parts = ["there before" if before else f"made at {clock(max(0.0, lane.made))}"]
    for start, stop in lane.ready:
        stop = None if stop == lane.ending else stop
        if before and start <= 0:
            parts.append("ready" if stop is None else f"ready until {clock(stop)}")
        elif stop is None and lane.ending is not None:
            parts.append(f"ready from {clock(start)}")
        elif stop is None:
            parts.append(f"ready from {clock(start)} on")
        else:
            parts.append(f"ready from {clock(start)} to {clock(stop)}")
    if not lane.ready:
        parts.append("never ready" if lane.gone or lane.ending else "not ready")
    elif lane.ready[-1][1] is not None and not (lane.gone or lane.ending):
        parts.append("not ready now")
    if lane.ending is not None:
        parts.append(f"told to end at {clock(lane.ending)}")
    if lane.gone is not None:
        parts.append(f"gone at {clock(lane.gone)}")
    return ", ".join(parts)


def _told_requests(seen: Rollout) -> list[tuple[str, str]]:
    if seen.service is None:
        return [("requests", "none are recorded here")]
    answered = ", ".join(f"{n} by {version}" for version, n in answers(seen.tallies).items())
    failed = sum(one.count for one in seen.tallies if one.reason)
    rows = [("requests", f"to {seen.service}, answered: {answered or 'none yet'}")]
    rows.append(("failed", f"{failed}{':' if failed else ''} {_reasons(seen.tallies)}".strip()))
    return rows


def answers(tallies: Sequence[Tally]) -> dict[str, int]:
    """How many requests each version has answered."""
    found: dict[str, int] = {}
    for one in tallies:
        if not one.reason:
            version = one.version or "?"
            found[version] = found.get(version, 0) + one.count
    return found


def _reasons(tallies: Sequence[Tally]) -> str:
    """Why requests failed: each reason with its number, and when it was first so."""
    found: dict[str, tuple[int, float]] = {}
    for one in tallies:
        if one.reason:
            count, first = found.get(one.reason, (0, one.at))
            found[one.reason] = (count + one.count, first)
    several = [f"{n} {why}, first at {clock(at)}" for why, (n, at) in found.items()]
    return "; ".join(several[:MOST_REASONS])


def svg(seen: Rollout) -> str:
    """The rollout as a picture of 720 pixels; its description carries the same facts."""
    drawing = Drawing(f"{seen.name}: Pods by version, and requests", told(seen))
    span = max(seen.end - seen.begin, 1.0)
    scale = (WIDTH - LEFT - RIGHT) / span

    def x(at: float) -> float:
        return LEFT + (min(max(at, seen.begin), seen.end) - seen.begin) * scale

    top = 24.0
    shown = seen.lanes[-MOST_LANES:]
    for lane in shown:
        _draw_lane(drawing, lane, top, x, seen.end)
        top += LANE + GAP
    if len(shown) < len(seen.lanes):
        more = counted(len(seen.lanes) - len(shown), "earlier Pod")
        drawing.text(8, top + 12, f"and {more}, told below")
        top += LANE
    top = _draw_requests(drawing, seen, top + 6, x) if seen.service else top + 8
    for change in seen.changes:
        at = x(change.at)
        drawing.path(f"M{at:.1f} 22 V{top:.1f}", "axis", f"{clock(change.at)}: {change.words}")
        drawing.path(f"M{at:.1f} 22 l-5 -8 h10 z", "mark", f"{clock(change.at)}: {change.words}")
    for change in seen.changes[-1:]:  # Words of several would lie upon each other.
        at = x(change.at)
        last = at > (LEFT + WIDTH) / 2
        room = at - LEFT if last else WIDTH - RIGHT - at
        anchor, aside = ("end", -9) if last else ("start", 9)
        drawing.text(at + aside, 18, change.words, anchor=anchor, room=room)
    drawing.axis(LEFT, WIDTH - RIGHT, top + 2, clock(seen.begin), clock(seen.end))
    drawing.text(8, top + 40, seen.state, "strong", room=WIDTH - 16)
    return drawing.svg(top + 50)


def _draw_lane(drawing: Drawing, lane: Lane, top: float, x: Scale, end: float) -> None:
    words = f"{lane.version} {lane.pod}: {_told_lane(lane)}"
    drawing.text(8, top + 13, lane.version, "strong", room=44)
    drawing.text(56, top + 13, lane.pod, room=LEFT - 62)
    last = lane.gone if lane.gone is not None else end
    served = lane.ending if lane.ending is not None else last
    for start, stop in _unready(lane, min(served, last)):
        width = x(stop) - x(start) - 1
        if width > 1:
            drawing.box(x(start), top, width, LANE, "wait", words, pattern="hatch")
    for start, ended in lane.ready:
        until = last if ended is None else min(ended, last)
        width = x(until) - x(start) - 1
        look = lane.look % VERSIONS
        drawing.box(x(start), top, width, LANE, f"v{look}", words, pattern=GRAIN[look])
    if lane.ending is not None and x(last) - x(lane.ending) > 1:
        drawing.box(x(lane.ending), top, x(last) - x(lane.ending) - 1, LANE, "frame", words)
        if x(last) - x(lane.ending) > 50:
            drawing.text((x(lane.ending) + x(last)) / 2, top + 13, "ending", anchor="middle")


def _unready(lane: Lane, until: float) -> Iterator[tuple[float, float]]:
    """The stretches in which the Pod was there, not told to end, and not ready."""
    at = lane.made
    for start, stop in lane.ready:
        if start > at:
            yield at, min(start, until)
        at = until if stop is None else stop
    if at < until:
        yield at, until


def _draw_requests(drawing: Drawing, seen: Rollout, top: float, x: Scale) -> float:
    columns = columned(seen)
    most = max((sum(column.values()) for column in columns), default=0) or 1
    width = (WIDTH - LEFT - RIGHT) / len(columns)
    failed = sum(one.count for one in seen.tallies if one.reason)
    drawing.text(8, top + 13, f"failed: {failed}", "strong")
    for one in seen.tallies:
        if one.reason:
            at = x(one.at)
            words = f"{clock(one.at)}: {counted(one.count, 'request')} failed: {one.reason}"
            drawing.path(f"M{at - 4:.1f} {top + 4} l8 8 m0 -8 l-8 8", "cross", words)
    base = lowest = top + 20 + HIGH
    drawing.text(8, top + 34, f"requests to {seen.service}", room=LEFT - 12)
    looks = seen.versions
    for row, (version, number) in enumerate(answers(seen.tallies).items()):
        look = looks.get(version, VERSIONS - 1) % VERSIONS
        y = top + 42 + row * 15
        drawing.box(8, y, 12, 11, f"v{look}", pattern=GRAIN[look])
        drawing.text(26, y + 10, f"{number} answered by {version}", room=LEFT - 30)
        lowest = y + 18
    for place, column in enumerate(columns):
        foot, left = base, LEFT + place * width
        for key, count in column.items():
            high = count / most * HIGH
            foot -= high
            if key is None:
                drawing.box(left, foot, width - 1, high, "bad", f"{count:.0f} failed")
                continue
            look = looks.get(key, VERSIONS - 1) % VERSIONS
            words = f"{count:.0f} answered by {key}"
            drawing.box(left, foot, width - 1, high, f"v{look}", words, pattern=GRAIN[look])
    return max(base, lowest) + 4


def columned(seen: Rollout) -> list[dict[str | None, float]]:
    """The requests in columns of time: answers by version, failures (under None) on top."""
    span = max(seen.end - seen.begin, 1.0)
    number = min(COLUMNS, max(1, round(span * 2)))  # Half a second at least.
    columns: list[dict[str | None, float]] = [{} for _ in range(number)]
    for one in sorted(seen.tallies, key=lambda one: (bool(one.reason), one.version or "")):
        key = None if one.reason else (one.version or "?")
        first = int((one.at - seen.begin) / span * number)
        last = int((one.until - seen.begin) / span * number)
        within = [column for column in range(first, last + 1) if 0 <= column < number]
        for column in within:
            columns[column][key] = columns[column].get(key, 0) + one.count / len(within)
    return columns
