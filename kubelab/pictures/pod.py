"""What happened inside a Pod: a lane for each container, drawn from the Pod and its Events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from kubelab.objects import Object, dig, is_sidecar, meta, name_of, restarts
from kubelab.pictures.drawing import WIDTH, Drawing, clock, fits

LEFT, RIGHT, LANE = 150, 24, 32
SHOWN = ("Unhealthy", "Killing", "BackOff", "FailedPreStopHook")
TOLD_TO_END = "is told to end"
LEAD = 8.0  # seconds shown before that
LIMIT = 12  # marks in the picture; a probe that says no for an hour is one mark with its number


@dataclass(frozen=True)
class Bar:
    """A stretch of time in a lane, in seconds since the Pod was made; `kind` is its look."""

    lane: str
    kind: str
    start: float
    end: float
    words: str


@dataclass(frozen=True)
class Mark:
    """Something that was done to the Pod, at one moment, and by whom."""

    at: float
    words: str
    who: str = "kubelet"


@dataclass(frozen=True)
class History:
    """What is known about a Pod until `end`, in seconds since it was made."""

    pod: str
    end: float
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    lanes: tuple[str, ...] = ()


def history(
    pod: Object,
    events: Iterable[Object],
    now: float,
    before: Sequence[Object] = (),
    gone: float | None = None,
) -> History:
    """What the Pod and its Events say; `now` and `gone` in seconds since the epoch.

    `before`: what the same Pod said earlier. It knows of containers that were forgotten since.
    """
    zero = _seconds(meta(pod)["creationTimestamp"])
    end = gone or now
    states = [*before, pod]
    lanes = _lanes(pod)
    bars: dict[tuple[str, str], Bar] = {}
    for state in states:
        for lane, status in lanes.items():
            for key, bar in _runs(lane, _status(state, status), zero, end):
                bars[lane, key] = bar
        bars |= _readiness(state, zero, end)
    marks = [_mark(event, zero) for event in events if event.get("reason") in SHOWN]
    marks += _ending(pod, zero, gone)
    marks.sort(key=lambda mark: mark.at)
    drawn = tuple(sorted(_ended(list(bars.values())), key=lambda bar: bar.start))
    ready = ["the Pod"] if any(bar.lane == "the Pod" for bar in drawn) else []
    return History(name_of(pod), max(end - zero, 1.0), drawn, tuple(marks), (*lanes, *ready))


def _lanes(pod: Object) -> dict[str, tuple[str, str]]:
    """Lane by lane where its container's status stands: init containers in order come first."""
    found: dict[str, tuple[str, str]] = {}
    for one in dig(pod, "spec", "initContainers") or ():
        word = "sidecar" if is_sidecar(one) else "init"
        found[f"{word} {one['name']}"] = ("initContainerStatuses", one["name"])
    names = [one["name"] for one in dig(pod, "spec", "containers") or ()]
    names = names or [one["name"] for one in dig(pod, "status", "containerStatuses") or ()]
    return found | {f"container {name}": ("containerStatuses", name) for name in names}


def _status(pod: Object, where: tuple[str, str]) -> dict[str, Any]:
    several = dig(pod, "status", where[0]) or ()
    return next((one for one in several if one["name"] == where[1]), {})


def _runs(lane: str, status: dict[str, Any], zero: float, end: float) -> list[tuple[str, Bar]]:
    """The runs of one container that its status knows, each under the time of its start."""
    found = []
    times = restarts(status)
    for ended in (dig(status, "lastState", "terminated"), dig(status, "state", "terminated")):
        if ended and ended.get("startedAt") and ended.get("finishedAt"):
            kind = "run" if ended.get("exitCode") == 0 else "fell"
            until, words = _seconds(ended["finishedAt"]), _exit(ended)
            # A container that could not be started began in 1970.
            start = ended["startedAt"] if until - _seconds(ended["startedAt"]) < 1e8 else None
            start = start or ended["finishedAt"]
            found.append((start, _bar(lane, kind, start, until, zero, words)))
    running = dig(status, "state", "running")
    if running:
        words = f"runs, restarts {times}" if times else "runs"
        found.append(
            (running["startedAt"], _bar(lane, "run", running["startedAt"], end, zero, words))
        )
    waiting = dig(status, "state", "waiting", "reason")
    since = dig(status, "lastState", "terminated", "finishedAt")
    if since and waiting:
        found.append((since, _bar(lane, "gone", since, end, zero, f"waits: {waiting}")))
    return found


def _exit(ended: Object) -> str:
    code = ended.get("exitCode")
    if ended.get("reason") in ("StartError", "ContainerCannotRun"):
        return "could not be started"
    words = f"ended with exit code {code}"
    if ended.get("reason") == "OOMKilled":
        return f"{words}: out of memory"
    return f"{words}: killed by SIGKILL" if code == 137 else words


def _readiness(pod: Object, zero: float, end: float) -> dict[tuple[str, str], Bar]:
    for condition in dig(pod, "status", "conditions") or ():
        since = condition.get("lastTransitionTime")
        if condition["type"] == "Ready" and since:
            ready = condition["status"] == "True"
            words = "is ready" if ready else "is not ready: gets no requests"
            kind = "yes" if ready else "gone"
            return {("the Pod", f"{since} {kind}"): _bar("the Pod", kind, since, end, zero, words)}
    return {}


def _ended(bars: list[Bar]) -> list[Bar]:
    """The stretches of the Pod's lane end where the next one begins; others know their end."""
    own = sorted((bar for bar in bars if bar.lane == "the Pod"), key=lambda bar: bar.start)
    rest = [bar for bar in bars if bar.lane != "the Pod"]
    for one, following in pairwise((*own, None)):
        assert one is not None
        until = following.start if following else one.end
        if until > one.start or following is None:
            rest.append(Bar(one.lane, one.kind, one.start, until, one.words))
    return rest


def _ending(pod: Object, zero: float, gone: float | None) -> list[Mark]:
    deadline = meta(pod).get("deletionTimestamp")
    marks = []
    if deadline:
        grace = meta(pod).get("deletionGracePeriodSeconds", 0)
        asked = _seconds(deadline) - grace - zero
        marks.append(Mark(max(0.0, asked), f"{TOLD_TO_END}, within {grace} s", "the Pod"))
    if gone is not None:
        marks.append(Mark(max(0.0, gone - zero), "is gone", "the Pod"))
    return marks


def _bar(lane: str, kind: str, start: str, end: float, zero: float, words: str) -> Bar:
    # The API's times have whole seconds: a run may seem to begin before its Pod.
    first = max(0.0, _seconds(start) - zero)
    return Bar(lane, kind, first, max(first, end - zero), words)


def _mark(event: Object, zero: float) -> Mark:
    series = event.get("series") or {}
    at = series.get("lastObservedTime") or event.get("lastTimestamp") or event["eventTime"]
    count = series.get("count") or event.get("count") or 1
    times = f" ({count} times)" if count > 1 else ""
    what, message = "probe says no", event.get("message", "")
    if event["reason"] == "Unhealthy" and " probe" in message:
        what = message.split(" probe")[0].lower() + " probe says no"
    elif event["reason"] == "Killing":
        container = message.split(" container ")[-1].split()[0] if " container " in message else ""
        what = f"container {container} is ended".replace("  ", " ")
        if "failed liveness probe" in message:
            container = message.split("Container ")[-1].split()[0]
            what = f"container {container} is ended: its liveness probe said no"
    elif event["reason"] == "BackOff":
        what = "waits before it starts a container again"
    elif event["reason"] == "FailedPreStopHook":
        what = "preStop did not work"
    return Mark(max(0.0, _seconds(at) - zero), what + times)


def told(seen: History) -> str:
    """The history as lines of text, in order of time."""
    lines = []
    for bar in seen.bars:
        ended = bar.words.startswith("ended")
        if ended and bar.end - bar.start >= 1:
            lines.append((bar.start, f"{bar.lane} begins"))
        lines.append((bar.end if ended else bar.start, f"{bar.lane} {_told_bar(bar)}"))
    lines += [(mark.at, f"{mark.who}: {mark.words}") for mark in seen.marks]
    lanes = {bar.lane for bar in seen.bars}
    idle = [lane for lane in seen.lanes if lane not in lanes]
    text = [f"  {at:>5.0f} s  {words}" for at, words in sorted(lines)]
    return "\n".join([*text, *(f"      -    {lane} has not run" for lane in idle)])


def _told_bar(bar: Bar) -> str:
    if bar.words.startswith("ended") and bar.end - bar.start >= 1:
        return f"{bar.words}, after {clock(bar.end - bar.start)}"
    return bar.words


def svg(seen: History) -> str:
    """The history as a picture of 720 pixels; its description carries the same facts."""
    lanes = seen.lanes or tuple(dict.fromkeys(bar.lane for bar in seen.bars))
    begin = _begin(seen)
    scale = (WIDTH - LEFT - RIGHT) / (seen.end - begin)
    drawing = Drawing(f"Pod {seen.pod} over {clock(seen.end)}", told(seen))
    for row, lane in enumerate(lanes):
        top = 10 + row * LANE
        drawing.text(8, top + 15, lane, room=LEFT - 16)
        for bar in seen.bars:
            if bar.lane == lane and bar.end >= begin:
                _draw(drawing, bar, top, begin, scale)
    foot = 10 + len(lanes) * LANE
    drawing.text(8, foot + 14, "done to it", room=LEFT - 16)
    for mark in [one for one in seen.marks if one.at >= begin][-LIMIT:]:
        x = min(LEFT + (mark.at - begin) * scale, WIDTH - RIGHT)
        words = f"{clock(mark.at)}: {mark.who}: {mark.words}"
        drawing.path(f"M{x:.1f} {foot + 2} l6 12 h-12 z", "mark", words)
        if mark.who == "the Pod":
            drawing.path(f"M{x:.1f} 6 V{foot + 2}", "axis", words)
    drawing.axis(LEFT, WIDTH - RIGHT, foot + 22, clock(begin), clock(seen.end))
    return drawing.svg(foot + 46)


def _begin(seen: History) -> float:
    """Where the picture begins: of a long life that ends, the end alone would be a hair."""
    asked = next((mark.at for mark in seen.marks if mark.words.startswith(TOLD_TO_END)), None)
    if asked is None or (seen.end - asked) * 4 > seen.end:
        return 0.0
    return max(0.0, asked - LEAD)


def _draw(drawing: Drawing, bar: Bar, top: float, begin: float, scale: float) -> None:
    start = max(bar.start, begin)
    left, width = LEFT + (start - begin) * scale, max(2.0, (bar.end - start) * scale - 2)
    look = {"gone": "wait", "fell": "bad"}.get(bar.kind, bar.kind)
    pattern = {"gone": "hatch", "fell": "speck"}.get(bar.kind, "")
    drawing.box(left, top, width, 22, look, f"{bar.lane} {_told_bar(bar)}", pattern=pattern)
    # Words that do not fit stand in the text below the picture.
    if fits(bar.words, width - 12):
        drawing.text(left + 6, top + 15, bar.words, "" if bar.kind == "gone" else "in")


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
