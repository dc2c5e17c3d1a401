"""Who is behind a Service, and who answers? A lane an address over time; requests by Pod."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kubelab import history
from kubelab.objects import Object, dig
from kubelab.pictures.drawing import WIDTH, Drawing, clock, fits

LEFT, RIGHT, LANE = 196, 20, 24
MOST_LANES = 24

# When it was so, the ready Pods (or addresses), and those that are not.
State = tuple[float, tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class Stretch:
    """An address behind the Service, in seconds since the watch began."""

    pod: str
    ready: bool
    start: float
    end: float


@dataclass(frozen=True)
class Behind:
    """What is known about a Service; `answered` None: no requests are recorded."""

    name: str
    end: float
    stretches: tuple[Stretch, ...]
    ready: int
    not_ready: int
    answered: tuple[tuple[str, int], ...] | None
    failed: int


def behind(slices: Iterable[Object]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The Pods (addresses where no Pod is named) that are ready, and those that are not."""
    ready: set[str] = set()
    unready: set[str] = set()
    for one in slices:
        for endpoint in one.get("endpoints") or ():
            name = dig(endpoint, "targetRef", "name") or ", ".join(endpoint.get("addresses", ()))
            (unready if dig(endpoint, "conditions", "ready") is False else ready).add(str(name))
    return tuple(sorted(ready)), tuple(sorted(unready - ready))


def service(
    name: str,
    states: Sequence[State],
    requests: history.Requests | None,
    zero: float,
    now: float,
) -> Behind:
    """What was seen of a Service since `zero`."""
    stretches: list[Stretch] = []
    ends = [*(at for at, _, _ in states[1:]), now]
    for (at, ready, unready), until in zip(states, ends, strict=False):
        for pod in (*ready, *unready):
            new = Stretch(pod, pod in ready, max(0.0, at - zero), until - zero)
            last = next((one for one in reversed(stretches) if one.pod == pod), None)
            if last and last.ready == new.ready and abs(last.end - new.start) < 0.01:
                stretches.remove(last)
                new = Stretch(pod, new.ready, last.start, new.end)
            stretches.append(new)
    answered: dict[str, int] = {}
    for one in requests.lines if requests else ():
        if one.ok:
            pod = one.pod or "several"
            answered[pod] = answered.get(pod, 0) + one.count
    _, ready, unready = states[-1] if states else (zero, (), ())
    return Behind(
        name=name,
        end=max(now - zero, 1.0),
        stretches=tuple(sorted(stretches, key=lambda one: (one.pod, one.start))),
        ready=len(ready),
        not_ready=len(unready),
        answered=tuple(sorted(answered.items())) if requests else None,
        failed=requests.failed if requests else 0,
    )


def told(seen: Behind) -> str:
    """The Service as lines of text."""
    lines = [f"service/{seen.name}  {seen.ready} ready, {seen.not_ready} not ready"]
    for one in seen.stretches:
        state = "ready" if one.ready else "not ready"
        lines.append(f"  {one.pod}: {state} from {clock(one.start)} to {clock(one.end)}")
    if not seen.stretches:
        lines.append("  no address is behind it")
    if seen.answered is None:
        lines.append("  requests: none are recorded here")
    else:
        answered = ", ".join(f"{number} by {pod}" for pod, number in seen.answered)
        lines.append(f"  requests answered: {answered or 'none yet'}; failed: {seen.failed}")
    return "\n".join(lines)


def svg(seen: Behind) -> str:
    """The Service as a picture of 720 pixels; its description carries the same facts."""
    drawing = Drawing(f"service/{seen.name}: addresses and requests", told(seen))
    scale = (WIDTH - LEFT - RIGHT) / seen.end
    head = f"{seen.ready} ready, {seen.not_ready} not ready"
    drawing.text(8, 16, f"service/{seen.name}: {head}", "strong", room=WIDTH - 16)
    names = list(dict.fromkeys(one.pod for one in seen.stretches))[:MOST_LANES]
    answered = dict(seen.answered or ())
    top = 26.0
    for name in names:
        drawing.text(8, top + 14, name, room=LEFT - 16)
        for one in seen.stretches:
            if one.pod == name:
                look, pattern = ("yes", "") if one.ready else ("wait", "hatch")
                left = LEFT + one.start * scale
                words = f"{name}: {'ready' if one.ready else 'not ready'}"
                width = (one.end - one.start) * scale - 1
                drawing.box(left, top, width, 20, look, words, pattern=pattern)
        if name in answered:
            last = next(one for one in reversed(seen.stretches) if one.pod == name)
            words, left = f"{answered[name]} answered", LEFT + last.start * scale + 6
            if fits(words, WIDTH - RIGHT - left):
                # On a short bar the words go on beside it.
                ink = "in" if last.ready and fits(words, (last.end - last.start) * scale) else ""
                drawing.text(left, top + 14, words, ink)
        top += LANE
    if not names:
        drawing.text(LEFT, top + 14, "no address is behind it")
        top += LANE
    drawing.axis(LEFT, WIDTH - RIGHT, top + 2, "0 s", clock(seen.end))
    if seen.answered is not None:
        number = sum(answered.values())
        drawing.text(8, top + 36, f"requests answered: {number}, failed: {seen.failed}", "strong")
    return drawing.svg(top + 46)
