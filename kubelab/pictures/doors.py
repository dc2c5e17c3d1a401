"""Which door does a request take? Hosts and paths as a tree, each leaf with the answer it gave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubelab import endpoints, envoy, routing
from kubelab.api import MARKER, SYSTEM, Cluster
from kubelab.ask import Answer
from kubelab.objects import Object, dig, name_of
from kubelab.pictures.drawing import WIDTH, Drawing

# Requests to a rule with several backends, so that their shares show.
MANY = 100
TRUNK, PATH, TO, ANSWER = 20, 36, 250, 420
ROW, HEAD, TALL = 32, 30, 24
PATTERNS = {"PathPrefix": "Prefix", "RegularExpression": "pattern"}


@dataclass(frozen=True)
class Leaf:
    """One path, where it leads, and what a request got just now; `good`: a Pod answered."""

    path: str
    kind: str
    to: str
    answer: str
    good: bool


@dataclass(frozen=True)
class Door:
    """One host of one object; `note` is what is to be known of all its paths."""

    host: str
    by: str
    note: str
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True)
class Doors:
    """The ways into a namespace; `ports` are those on loopback, `elsewhere` what others get."""

    namespace: str
    ports: str
    doors: tuple[Door, ...]
    elsewhere: str


# Reading and asking


def read(cluster: Cluster, namespace: str) -> Doors | None:
    """Ask at every rule of the namespace; None where it has neither Ingress nor HTTPRoute."""
    ingresses = sorted(cluster.objects("Ingress", namespace), key=name_of)
    routes = sorted(cluster.objects("HTTPRoute", namespace), key=name_of)
    if not ingresses and not routes:
        return None
    doors = [door for one in ingresses for door in of_ingress(cluster, namespace, one)]
    if routes:
        pods = cluster.objects("Pod", namespace)
        behind = {
            name_of(service): {name_of(pod) for pod in pods if endpoints.selects(service, pod)}
            for service in cluster.objects("Service", namespace)
        }
        doors += [door for one in routes for door in of_route(cluster, namespace, one, behind)]
    (other,) = envoy.get(cluster, routing.host_of("elsewhere", namespace))
    marker = (cluster.get("ConfigMap", MARKER, SYSTEM) or {}).get("data") or {}
    ports = " and ".join(
        f"127.0.0.1:{marker[key]}" for key in ("httpPort", "httpsPort") if key in marker
    )
    return Doors(namespace, ports, tuple(doors), told_answer(other))


def of_ingress(cluster: Cluster, namespace: str, ingress: Object) -> Iterator[Door]:
    """The hosts of an Ingress."""
    secrets = {
        host: entry.get("secretName")
        for entry in dig(ingress, "spec", "tls") or ()
        for host in entry.get("hosts") or ()
    }
    notes = []
    if not routing.is_served(ingress):
        notes.append(f"class {routing.class_of(ingress)}: no controller here takes it")
    several = list(routing.rules(ingress))
    for host in dict.fromkeys(one.host for one in several):
        leaves = [
            leaf(cluster, asked_host(host, namespace), one.path, one.kind, one.words)
            for one in several
            if one.host == host
        ]
        secret = [f"TLS by Secret {secrets[host]}"] if host in secrets else []
        note = ", ".join([*notes, *secret])
        yield Door(host or "every host", f"Ingress {name_of(ingress)}", note, tuple(leaves))


def of_route(
    cluster: Cluster, namespace: str, route: Object, behind: dict[str, set[str]]
) -> Iterator[Door]:
    """The hosts of an HTTPRoute."""
    said = [
        f"{one['type']} {one['status']}: {one['reason']}"
        for parent in dig(route, "status", "parents") or ()
        for one in parent.get("conditions") or ()
        if one.get("status") != "True"
    ]
    for host in dig(route, "spec", "hostnames") or [""]:
        leaves: list[Leaf] = []
        for rule in dig(route, "spec", "rules") or ():
            leaves += of_rule(cluster, asked_host(host, namespace), rule, behind)
        note = ", ".join(dict.fromkeys(said))
        yield Door(host or "every host", f"HTTPRoute {name_of(route)}", note, tuple(leaves))


def of_rule(
    cluster: Cluster, host: str, rule: Object, behind: dict[str, set[str]]
) -> Iterator[Leaf]:
    """A leaf a backend for the first path of a rule."""
    match = dig(rule, "matches", 0, "path") or {}
    path, kind = match.get("value", "/"), match.get("type", "PathPrefix")
    several = rule.get("backendRefs") or []
    weighed = len(several) > 1
    if kind == "RegularExpression":
        yield Leaf(path, PATTERNS[kind], backend(several[0]) if several else "", "not asked", False)
        return
    if not weighed:
        to = backend(several[0]) if several else "no backend"
        yield leaf(cluster, host, path, PATTERNS.get(kind, kind), to)
        return
    found = envoy.get(cluster, host, path, count=MANY)
    bad = [one for one in found if one.status != 200]
    for one in several:
        mine = [each for each in found if each.pod in behind.get(str(one.get("name")), set())]
        told = f"{len(mine)} of {len(found)}"
        told += f" by {told_answer(mine[0]).partition('by ')[2]}" if mine else ""
        told += f", {told_answer(bad[0])}" if bad and not mine else ""
        weight = f"{PATTERNS.get(kind, kind)}, weight {one.get('weight', 1)}"
        yield Leaf(path, weight, backend(one), told, bool(mine))


def backend(one: Object) -> str:
    """A backend of an HTTPRoute in words."""
    place = f"{one['namespace']}/" if one.get("namespace") else ""
    return f"{place}{one.get('name')}:{one.get('port')}"


def asked_host(host: str, namespace: str) -> str:
    """A name to ask for, where a rule is for a wildcard or for every host."""
    if host.startswith("*."):
        return f"any{host[1:]}"
    return host or routing.host_of("any", namespace)


def leaf(cluster: Cluster, host: str, path: str, kind: str, to: str) -> Leaf:
    """One rule, asked once."""
    (found,) = envoy.get(cluster, host, path)
    return Leaf(path, kind, to, told_answer(found), found.status == 200)


def told_answer(answer: Answer) -> str:
    """An answer in a few words."""
    if answer.status is None:
        return f"no answer: {answer.error}"
    if answer.status == 200:
        name, version = answer.headers.get("x-web-name"), answer.version
        return f"200 by {name} {version}" if name else "200"
    said = answer.body.partition("\n")[0].partition(".")[0].strip()
    return f"{answer.status} {said[:30]}" if said else f"{answer.status}, nobody takes it"


# The text


def told(seen: Doors) -> str:
    """The tree as lines of text: the same facts as the picture."""
    lines = [f"Ways into {seen.namespace}" + (f", through {seen.ports}" if seen.ports else "")]
    for door in seen.doors:
        lines += [f"├─ {door.host}  ({door.by})"]
        if door.note:
            lines.append(f"│  {door.note}")
        for number, one in enumerate(door.leaves, 1):
            mark = "└─" if number == len(door.leaves) else "├─"
            lines.append(f"│  {mark} {one.path} {one.kind} -> {one.to}: {one.answer}")
    lines.append(f"└─ any other host: {seen.elsewhere}")
    return "\n".join(lines)


# The picture


def svg(seen: Doors) -> str:
    """The tree as a picture of 720 pixels; its description carries the same facts."""
    drawing = Drawing(f"Ways into {seen.namespace}", told(seen))
    head = "Envoy" + (f", at {seen.ports}" if seen.ports else "")
    drawing.text(8, 16, head, "strong", room=ANSWER - 16)
    drawing.text(ANSWER, 16, "the answer it just gave", "quiet")
    top = 28.0
    middles: list[float] = []
    for door in seen.doors:
        top = _draw_door(drawing, door, top, middles)
    middles.append(top + 12)
    drawing.text(TRUNK, top + 16, "any other host", "strong")
    _draw_answer(drawing, Leaf("", "", "", seen.elsewhere, False), top)
    drawing.path(f"M8 22 V{middles[-1]:.1f}", "link")
    for middle in middles:
        drawing.path(f"M8 {middle:.1f} H{TRUNK - 4}", "link")
    return drawing.svg(top + TALL + 10)


def _draw_door(drawing: Drawing, door: Door, top: float, middles: list[float]) -> float:
    middles.append(top + 12)
    drawing.text(TRUNK, top + 16, door.host, "strong", room=ANSWER - TRUNK - 16)
    drawing.text(ANSWER, top + 16, door.by, "quiet", room=WIDTH - ANSWER - 8)
    top += HEAD
    if door.note:
        drawing.text(PATH, top + 4, door.note, room=WIDTH - PATH - 8)
        top += 18
    begin = top - (HEAD + (18 if door.note else 0)) + 22
    for one in door.leaves:
        middle = top + TALL / 2
        drawing.path(f"M{TRUNK + 4} {begin:.1f} V{middle:.1f} H{PATH - 2}", "way")
        drawing.text(PATH, top + 11, one.path, room=TO - PATH - 12)
        drawing.text(PATH, top + 23, one.kind, "small quiet", room=TO - PATH + 40)
        drawing.box(TO, top, 150, TALL, "frame", f"{one.path} leads to {one.to}")
        drawing.text(TO + 8, top + 16, one.to, room=136)
        drawing.path(f"M{TO + 150} {middle:.1f} H{ANSWER}", "link")
        _draw_answer(drawing, one, top)
        top += ROW
    return top + 6


def _draw_answer(drawing: Drawing, one: Leaf, top: float) -> None:
    look, ink = ("yes", "in") if one.good else ("empty", "")
    drawing.box(ANSWER, top, WIDTH - ANSWER - 8, TALL, look, one.answer)
    drawing.text(ANSWER + 8, top + 16, one.answer, ink, room=WIDTH - ANSWER - 24)
