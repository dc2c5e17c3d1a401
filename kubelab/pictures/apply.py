"""Who does what in one apply? A column a component, a row a request, with its milliseconds.

Every row is a request to the API server out of the audit log, or a change that the course's
recorder saw in its watch. Components never talk to each other: every arrow meets one column.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kubelab.history import Audit, Entry, PodRecord
from kubelab.pictures.drawing import WIDTH, Drawing

TIMES, LEFT, ROW, TOP = 92, 120, 34, 52
API, ETCD = "kube-apiserver", "etcd"
COLUMNS = ("you", API, ETCD, "kube-controller-manager", "kube-scheduler", "kubelet")
TITLES = {"kube-apiserver": "API server", "kube-controller-manager": "controllers"}
TITLES |= {"kube-scheduler": "scheduler"}
CONTROLLERS = "system:serviceaccount:kube-system:"
NODE = "system:node:"
MOST = 14


@dataclass(frozen=True)
class Step:
    """One request, in milliseconds after the first one; `who` is a column.

    `user` is the name that stands in the audit log; empty for what a watch has seen.
    """

    at: float
    who: str
    words: str
    user: str = ""


@dataclass(frozen=True)
class Sequenced:
    """The requests of one apply, oldest first; `over`: its Pod is ready."""

    name: str
    steps: tuple[Step, ...]
    over: bool = False


def sequence(name: str, record: Audit, pods: Iterable[PodRecord]) -> Sequenced:
    """What followed the newest creation of a Deployment, as far as it is on record."""
    made = [one for one in record.who(("create", "patch"), "deployments", name) if person(one)]
    first = next((one for one in reversed(made) if one.code == 201), made[-1] if made else None)
    if first is None:
        return Sequenced(name, ())
    later = [one for one in record.entries if one.done and one.at >= first.at]
    own = [
        one
        for one in pods
        if one.deployment and one.deployment.name == name and one.created >= first.at - 1.5
    ]
    found = [(first.at, step_of(first, f"{first.verb} Deployment {name}"))]
    found += [(at, step) for at, step in followed(name, later, own)]
    ready = [at for one in own for at, value in one.ready if value and at >= first.at]
    if ready:
        found.append((min(ready), Step(0, API, f"watch: a Pod of {name} is ready")))
    found.sort(key=lambda pair: pair[0])
    steps = [Step((at - first.at) * 1000, one.who, one.words, one.user) for at, one in found[:MOST]]
    return Sequenced(name, tuple(steps), bool(ready))


def followed(
    name: str, entries: Sequence[Entry], pods: Sequence[PodRecord]
) -> Iterable[tuple[float, Step]]:
    """The requests of the components that belong to this Deployment, each kind once or twice."""
    names = {one.name: one for one in pods}
    sets = [one for one in entries if made(one, "replicasets") and kin(one.name, name)]
    yield from ((one.at, step_of(one, f"create ReplicaSet {one.name}")) for one in sets[:1])
    since = sets[0].at if sets else float("inf")
    # A Pod of a ReplicaSet is created without a name, so the moment tells whose it is.
    births = [one for one in entries if made(one, "pods") and not one.name and one.at >= since]
    yield from ((one.at, step_of(one, "create Pod")) for one in births[: max(1, len(pods))])
    for one in entries:
        if one.verb == "create" and one.subresource == "binding" and one.name in names:
            node = names[one.name].node or "a node"
            yield one.at, step_of(one, f"bind {one.name} to {node}")
    for pod in pods:
        told = [
            one
            for one in entries
            if one.name == pod.name and one.subresource == "status" and one.user.startswith(NODE)
        ]
        if told:
            yield told[0].at, step_of(told[0], f"report {pod.name}: starting")
        ready = min((at for at, value in pod.ready if value), default=None)
        late = [one for one in told[1:] if ready is not None and one.at <= ready + 0.05]
        if late:
            yield late[-1].at, step_of(late[-1], f"report {pod.name}: ready")
            after = [
                one
                for one in entries
                if (one.resource, one.subresource, one.name) == ("deployments", "status", name)
                and one.at >= late[-1].at
            ]
            if after:
                yield after[0].at, step_of(after[0], f"report Deployment {name}: available")


def made(entry: Entry, resource: str) -> bool:
    """Whether it created an object of this kind."""
    return entry.verb == "create" and entry.resource == resource and not entry.subresource


def kin(name: str, deployment: str) -> bool:
    """Whether a ReplicaSet's name is its Deployment's with a hash behind it."""
    head, _, tail = name.rpartition("-")
    return head == deployment and bool(tail)


def person(entry: Entry) -> bool:
    """Whether a person did it, and not a component."""
    return bool(entry.impersonated) or not entry.user.startswith("system:")


def step_of(entry: Entry, words: str) -> Step:
    """A request as a step; its time is filled in later."""
    return Step(0, column(entry), words, short(entry))


def column(entry: Entry) -> str:
    """The component that sent a request."""
    if person(entry):
        return "you"
    if entry.user.startswith(NODE):
        return "kubelet"
    if entry.user == "system:kube-scheduler":
        return "kube-scheduler"
    return "kube-controller-manager"


def short(entry: Entry) -> str:
    """The user of a request as the log names it, without what all controllers share."""
    return (entry.impersonated or entry.user).removeprefix(CONTROLLERS)


def told(seen: Sequenced) -> str:
    """The sequence as lines of text."""
    if not seen.steps:
        return f"apply/{seen.name}: no creation of Deployment {seen.name} is on record"
    lines = [f"apply/{seen.name}: one apply, request by request"]
    before = 0.0
    for step in seen.steps:
        since = f"{step.at:7.0f} ms (+{step.at - before:.0f})"
        by = f"  as {step.user}" if step.user else ""
        way = f"{step.who} -> {API} -> {ETCD}" if step.user else f"{API} -> the course's recorder"
        lines += [f"{since:<20} {step.words}{by}", f"{'':<20} {way}"]
        before = step.at
    lines.append("the Pod is ready" if seen.over else "the Pod is not ready yet")
    return "\n".join(lines)


def svg(seen: Sequenced) -> str:
    """The sequence as a picture of 720 pixels; its description carries the same facts."""
    drawing = Drawing(f"apply/{seen.name}: who does what, in milliseconds", told(seen))
    drawing.text(8, 16, f"One apply of Deployment {seen.name}: who asks whom", "strong")
    gap = (WIDTH - LEFT - 44) / (len(COLUMNS) - 1)
    place = {name: LEFT + number * gap for number, name in enumerate(COLUMNS)}
    bottom = TOP + ROW * max(1, len(seen.steps)) + 4
    for name, x in place.items():
        drawing.text(x, 38, TITLES.get(name, name), "strong", anchor="middle")
        drawing.path(f"M{x:.1f} {TOP - 8} V{bottom:.1f}", "way")
    before = 0.0
    for number, step in enumerate(seen.steps):
        y = TOP + ROW * number + 24.0
        drawing.text(TIMES - 12, y + 4, f"{step.at:.0f} ms", anchor="end")
        if number:
            drawing.text(TIMES - 12, y - 9, f"+{step.at - before:.0f}", "small quiet", anchor="end")
        before = step.at
        draw(drawing, step, place, y)
    foot = "the Pod is ready" if seen.over else "the Pod is not ready yet"
    drawing.text(8, bottom + 18, f"Every accepted request is kept in etcd; {foot}.", "quiet")
    return drawing.svg(bottom + 28)


def draw(drawing: Drawing, step: Step, place: dict[str, float], y: float) -> None:
    """One row: an arrow to the API server, a dot in etcd; a ring for what a watch has seen."""
    api, etcd = place[API], place[ETCD]
    words = f"{step.words}, as {step.user}" if step.user else step.words
    if not step.user:
        drawing.path(f"M{api - 5:.1f} {y} a5 5 0 1 0 10 0 a5 5 0 1 0 -10 0", "frame", words)
        drawing.text(api + 10, y - 6, step.words, room=WIDTH - api - 14)
        return
    x = place[step.who]
    head = -6 if x > api else 6
    tip = api - head * 0.2
    drawing.path(f"M{x:.1f} {y} H{tip:.1f} m{-head} -4 l{head} 4 l{-head} 4", "link", words)
    drawing.box(etcd - 5, y - 5, 10, 10, "v1", f"stored: {step.words}", pattern="speck")
    drawing.path(f"M{x - 3:.1f} {y} a3 3 0 1 0 6 0 a3 3 0 1 0 -6 0", "link", step.who)
    # The columns of scheduler and kubelet say who it is; there are many controllers.
    named = step.who in ("you", "kube-controller-manager")
    shown = f"{step.words} ({step.user})" if named else step.words
    drawing.text(api + 8, y - 7, shown, room=WIDTH - api - 12)
