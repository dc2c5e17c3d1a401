"""What happened inside a Pod: a lane for each container, drawn from the Pod and its Events."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubelab.api import Object

WIDTH, LEFT, RIGHT, LANE = 720, 130, 24, 34
LETTER = 6.5
SHOWN = ("Unhealthy", "Killing")
STYLE = (
    ".t{font:12px sans-serif;fill:var(--jp-content-font-color1,#444)}"
    ".in{font:12px sans-serif;fill:#fff}"
    ".run{fill:#2f6db3}.gone{fill:none;stroke:#888;stroke-dasharray:3 3}"
    ".yes{fill:#2a7d4f}.axis{stroke:#888}.mark{fill:#c2570c}"
)


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
    """Something that the kubelet wrote down, at one moment."""

    at: float
    words: str


@dataclass(frozen=True)
class History:
    """What is known about a Pod until `end`, in seconds since it was made."""

    pod: str
    end: float
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]


def history(pod: Object, events: Iterable[Object], now: float) -> History:
    """What the Pod's status and its Events say; `now` in seconds since the epoch."""
    zero = _seconds(pod["metadata"]["creationTimestamp"])
    bars: list[Bar] = []
    for status in pod.get("status", {}).get("containerStatuses", []):
        bars.extend(_runs(status, zero, now))
    bars.extend(_readiness(pod, zero, now))
    marks = [_mark(event, zero) for event in events if event.get("reason") in SHOWN]
    marks.sort(key=lambda mark: mark.at)
    return History(pod["metadata"]["name"], max(now - zero, 1.0), tuple(bars), tuple(marks))


def _runs(status: dict[str, Any], zero: float, now: float) -> list[Bar]:
    lane = f"container {status['name']}"
    bars = []
    last = status.get("lastState", {}).get("terminated")
    if last:
        words = f"ended with exit code {last.get('exitCode')}"
        bars.append(_bar(lane, "run", last["startedAt"], _seconds(last["finishedAt"]), zero, words))
    running = status.get("state", {}).get("running")
    if running:
        words = f"runs, restarts {status['restartCount']}" if last else "runs"
        bars.append(_bar(lane, "run", running["startedAt"], now, zero, words))
    return bars


def _readiness(pod: Object, zero: float, now: float) -> list[Bar]:
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["type"] == "Ready":
            ready = condition["status"] == "True"
            words = "is ready" if ready else "is not ready: gets no requests"
            kind = "yes" if ready else "gone"
            return [_bar("the Pod", kind, condition["lastTransitionTime"], now, zero, words)]
    return []


def _bar(lane: str, kind: str, start: str, end: float, zero: float, words: str) -> Bar:
    return Bar(lane, kind, _seconds(start) - zero, end - zero, words)


def _mark(event: Object, zero: float) -> Mark:
    series = event.get("series") or {}
    at = series.get("lastObservedTime") or event.get("lastTimestamp") or event["eventTime"]
    count = series.get("count") or event.get("count") or 1
    times = f" ({count} times)" if count > 1 else ""
    what = "probe says no" if event["reason"] == "Unhealthy" else "container is ended"
    if event["reason"] == "Unhealthy" and " probe" in event.get("message", ""):
        what = event["message"].split(" probe")[0].lower() + " probe says no"
    return Mark(max(0.0, _seconds(at) - zero), what + times)


def told(seen: History) -> str:
    """The history as lines of text, in order of time."""
    lines = [(bar.start, f"{bar.lane} {bar.words}") for bar in seen.bars]
    lines += [(mark.at, f"kubelet: {mark.words}") for mark in seen.marks]
    return "\n".join(f"  {at:>5.0f} s  {words}" for at, words in sorted(lines))


def svg(seen: History) -> str:
    """The history as a picture of 720 pixels; its description carries the same facts."""
    lanes = list(dict.fromkeys(bar.lane for bar in seen.bars))
    height = LANE * (len(lanes) + 1) + 30
    scale = (WIDTH - LEFT - RIGHT) / seen.end
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" style="max-width:100%"><title>Pod {html.escape(seen.pod)} over '
        f"{seen.end:.0f} s</title><desc>{html.escape(told(seen))}</desc><style>{STYLE}</style>"
    ]
    for row, lane in enumerate(lanes):
        top = 10 + row * LANE
        parts.append(_text(8, top + 16, lane))
        for bar in seen.bars:
            if bar.lane == lane:
                parts.append(_rectangle(bar, top, scale))
    foot = 10 + len(lanes) * LANE
    parts.append(_text(8, foot + 16, "kubelet"))
    for mark in seen.marks:
        x = LEFT + mark.at * scale
        parts.append(
            f'<path class="mark" d="M{x:.1f} {foot + 4} l6 12 h-12 z">'
            f"<title>{mark.at:.0f} s: {html.escape(mark.words)}</title></path>"
        )
    parts.append(f'<path class="axis" d="M{LEFT} {foot + 24} H{WIDTH - RIGHT}"/>')
    parts.append(_text(LEFT, foot + 40, "0 s"))
    parts.append(_text(WIDTH - RIGHT, foot + 40, f"{seen.end:.0f} s", "end"))
    return "".join([*parts, "</svg>"])


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text class="t" x="{x}" y="{y}" text-anchor="{anchor}">{html.escape(words)}</text>'


def _rectangle(bar: Bar, top: float, scale: float) -> str:
    left, width = LEFT + bar.start * scale, max(2.0, (bar.end - bar.start) * scale - 2)
    words = html.escape(bar.words)
    drawn = (
        f'<rect class="{bar.kind}" x="{left:.1f}" y="{top}" rx="3" width="{width:.1f}" '
        f'height="22"><title>{words}</title></rect>'
    )
    if width < len(bar.words) * LETTER + 12:
        return drawn  # The words would not fit; the text below the picture has them.
    ink = "t" if bar.kind == "gone" else "in"
    return f'{drawn}<text class="{ink}" x="{left + 6:.1f}" y="{top + 15}">{words}</text>'


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
