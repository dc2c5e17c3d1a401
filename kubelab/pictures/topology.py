"""Where does a name lead? Service, EndpointSlice, Pods and Nodes of one namespace."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kubelab.api import Cluster
from kubelab.objects import Object, condition, dig, meta, name_of
from kubelab.pictures.drawing import LETTER, Drawing, counted

# Columns: Service, EndpointSlice, Pod, Node; ROW is the height of a Pod.
SERVICE, SLICE, POD, NODE = 8, 208, 372, 590
ROW, TALL, LOW = 34, 72, 28
MANY = 40  # from here on Pods alike are one row


@dataclass(frozen=True)
class PodRow:
    """A Pod, or several that are alike; `services` are the names whose selector matches it."""

    name: str
    number: int
    ready: bool
    words: str
    node: str
    services: tuple[str, ...]
    served_by: tuple[str, ...]


@dataclass(frozen=True)
class ServiceBox:
    """A Service with what its EndpointSlices hold; `why` where no request reaches a Pod."""

    name: str
    address: str
    selector: str
    ports: str
    selected: int
    ready: int
    not_ready: int
    strangers: int  # addresses that belong to no Pod: written by hand
    why: str


@dataclass(frozen=True)
class Topology:
    """What is in the namespace now."""

    namespace: str
    services: tuple[ServiceBox, ...]
    pods: tuple[PodRow, ...]
    nodes: tuple[str, ...]


def read(cluster: Cluster, namespace: str) -> Topology:
    """What is in the namespace now; the course's own helpers are left out."""
    services, slices, pods = (
        [one for one in cluster.objects(kind, namespace) if not _is_helper(one)]
        for kind in ("Service", "EndpointSlice", "Pod")
    )
    return topology(namespace, services, slices, pods)


def _is_helper(body: Object) -> bool:
    return any(key.startswith("kubelab.dev/") for key in meta(body).get("labels") or {})


def topology(
    namespace: str,
    services: Iterable[Object],
    slices: Iterable[Object],
    pods: Iterable[Object],
) -> Topology:
    """The names of a namespace, and where they lead."""
    pods = sorted(pods, key=name_of)
    services = sorted(services, key=name_of)
    held = list(slices)
    behind = {name_of(one): _addresses(one, held) for one in services}
    rows = [_pod(one, services, behind) for one in pods]
    boxes = tuple(_service(one, behind[name_of(one)], rows) for one in services)
    order = {box.name: number for number, box in enumerate(boxes)}
    rows.sort(key=lambda row: (_place(row, order), row.words.split(",")[0], row.name))
    shown = _grouped(rows) if len(rows) > MANY else tuple(rows)
    nodes = tuple(sorted({row.node for row in shown if row.node}))
    return Topology(namespace, boxes, shown, nodes)


def _place(row: PodRow, order: dict[str, int]) -> int:
    return min((order[name] for name in (*row.served_by, *row.services)), default=len(order))


def _addresses(service: Object, slices: Sequence[Object]) -> list[Object]:
    label = "kubernetes.io/service-name"
    name = name_of(service)
    own = [one for one in slices if (meta(one).get("labels") or {}).get(label) == name]
    return [endpoint for one in own for endpoint in one.get("endpoints") or ()]


def selects(service: Object, pod: Object) -> bool:
    """Whether the Service's selector matches the Pod; no selector matches none."""
    selector = dig(service, "spec", "selector") or {}
    labels = meta(pod).get("labels") or {}
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def _is_ready(endpoint: Object) -> bool:
    return dig(endpoint, "conditions", "ready") is not False


def _pod(pod: Object, services: Sequence[Object], behind: dict[str, list[Object]]) -> PodRow:
    ready = condition(pod, "Ready").get("status") == "True"
    ending = bool(meta(pod).get("deletionTimestamp"))
    image = str(dig(pod, "spec", "containers", 0, "image") or "")
    state = "ready" if ready else str(dig(pod, "status", "phase") or "Pending")
    if not ready and state == "Running":
        state = "not ready"
    version = image.rpartition("/")[2]
    name = name_of(pod)
    return PodRow(
        name=name,
        number=1,
        ready=ready and not ending,
        words=f"{version}, {'ending' if ending else state}",
        node=str(dig(pod, "spec", "nodeName") or ""),
        services=tuple(name_of(one) for one in services if selects(one, pod)),
        served_by=tuple(
            service
            for service, endpoints in behind.items()
            if any(_is_ready(one) and _leads_to(one, name) for one in endpoints)
        ),
    )


def _leads_to(endpoint: Object, name: str) -> bool:
    target = endpoint.get("targetRef") or {}
    return target.get("kind") == "Pod" and target.get("name") == name


def _service(service: Object, endpoints: list[Object], rows: list[PodRow]) -> ServiceBox:
    name, spec = name_of(service), service.get("spec") or {}
    selector = ",".join(f"{key}={value}" for key, value in (spec.get("selector") or {}).items())
    ready = [one for one in endpoints if _is_ready(one)]
    ready_addresses = {a for one in ready for a in one.get("addresses") or ()}
    all_addresses = {a for one in endpoints for a in one.get("addresses") or ()}
    selected = sum(name in row.services for row in rows)
    return ServiceBox(
        name=name,
        address=_address(spec),
        selector=selector,
        ports=", ".join(_port(one) for one in spec.get("ports") or ()),
        selected=selected,
        ready=len(ready_addresses),
        not_ready=len(all_addresses - ready_addresses),
        strangers=sum(dig(one, "targetRef", "kind") != "Pod" for one in endpoints),
        why="" if ready else _why(spec, selector, selected, len(endpoints)),
    )


def _why(spec: Object, selector: str, selected: int, addresses: int) -> str:
    if spec.get("type") == "ExternalName":
        return "it is another name for a host outside"
    if not selector:
        return "it has no selector, so nobody keeps its addresses"
    if not selected:
        return f"no Pod has the labels {selector}"
    if not addresses:
        return f"it selects {counted(selected, 'Pod')}, and none has an address yet"
    return f"it selects {counted(selected, 'Pod')}, and none is ready"


def _address(spec: Object) -> str:
    if spec.get("type") == "ExternalName":
        return f"another name for {spec.get('externalName')}"
    address = spec.get("clusterIP") or "no address"
    kind = spec.get("type") or "ClusterIP"
    if address == "None":
        return "headless, no address of its own"
    return str(address) if kind == "ClusterIP" else f"{kind} {address}"


def _port(port: Object) -> str:
    target = port.get("targetPort", port.get("port"))
    node = f", {port['nodePort']} on every node" if port.get("nodePort") else ""
    return f"{port.get('port')} to {target}{node}"


def _grouped(rows: Sequence[PodRow]) -> tuple[PodRow, ...]:
    """Pods alike as one row: same beginning of the name, same state, same Services."""
    groups: dict[tuple[Any, ...], list[PodRow]] = {}
    for row in rows:
        base = row.name.rpartition("-")[0] or row.name
        groups.setdefault((base, row.words, row.ready, row.services, row.served_by), []).append(row)
    grouped = []
    for (base, words, ready, services, served_by), several in groups.items():
        if len(several) == 1:
            grouped.append(several[0])
            continue
        nodes = sorted({row.node for row in several if row.node})
        node = nodes[0] if len(nodes) == 1 else ""
        where = words if node or not nodes else f"{words}, on {counted(len(nodes), 'node')}"
        grouped.append(PodRow(f"{base}-…", len(several), ready, where, node, services, served_by))
    return tuple(grouped)


# The text


def told(seen: Topology) -> str:
    """The namespace as lines of text: the same facts as the picture."""
    lines = [f"Namespace {seen.namespace}"]
    if not seen.services and not seen.pods:
        return f"{lines[0]}: no Service and no Pod is there"
    for box in seen.services:
        lines += _told_service(box, seen.pods)
    apart = [row for row in seen.pods if not row.services and not row.served_by]
    if apart:
        lines += ["", "Selected by no Service"]
        lines += [f"  {_told_pod(row)}" for row in apart]
    return "\n".join(lines)


def _told_service(box: ServiceBox, pods: Sequence[PodRow]) -> list[str]:
    lines = ["", f"Service {box.name}  {box.address}"]
    if box.ports:
        lines[1] += f", port {box.ports}"
    if box.selector:
        lines.append(f"  selects {box.selector}")
    lines.append(f"  addresses: {box.ready} ready, {box.not_ready} not ready")
    if box.strangers:
        lines.append(f"  {box.strangers} of them belong to no Pod")
    if box.why:
        lines.append(f"  leads nowhere: {box.why}")
    for row in pods:
        if box.name in row.served_by:
            lines.append(f"  -> {_told_pod(row)}")
        elif box.name in row.services:
            lines.append(f"  no way to {_told_pod(row)}")
    return lines


def _told_pod(row: PodRow) -> str:
    number = f" ({counted(row.number, 'Pod')})" if row.number > 1 else ""
    where = f", on {row.node}" if row.node else ""
    return f"{row.name}{number}: {row.words}{where}"


# The picture


def svg(seen: Topology) -> str:
    """The namespace as a picture of 720 pixels; its description carries the same facts."""
    drawing = Drawing(f"Services and Pods of {seen.namespace}", told(seen))
    heads = ((SERVICE, "Service"), (SLICE, "EndpointSlice"), (POD, "Pods"), (NODE, "Nodes"))
    for x, word in heads:
        drawing.text(x, 16, word, "strong")
    order = {box.name: n for n, box in enumerate(seen.services)}
    places: dict[str, float] = {}
    tops: list[float] = []
    y = 28.0
    for number, box in enumerate(seen.services):
        first = y
        places[box.name] = y
        for n, row in enumerate(seen.pods):
            if _place(row, order) == number:
                tops.append(y)
                assert len(tops) == n + 1
                y += ROW
        y = max(y, first + TALL) + 12
    if len(tops) < len(seen.pods):
        drawing.path(f"M{POD} {y} H{POD + 170}", "axis")
        drawing.text(POD, y + 18, "selected by no Service", "quiet")
        y += 26
    while len(tops) < len(seen.pods):
        tops.append(y)
        y += ROW
    height = max(y + 6, 80.0)
    nodes = _draw_nodes(drawing, seen, tops, height)
    for row, top in zip(seen.pods, tops, strict=True):
        _draw_ways(drawing, row, top, places, nodes)
        _draw_pod(drawing, row, top)
    for box in seen.services:
        _draw_service(drawing, box, places[box.name])
    if not seen.services:
        drawing.text(SERVICE, 44, "no Service is there", "quiet")
    return drawing.svg(height)


def _draw_service(drawing: Drawing, box: ServiceBox, top: float) -> None:
    words = f"Service {box.name}: {box.address}, selects {box.selector or 'nothing'}"
    drawing.box(SERVICE, top, 160, 56, "frame", words)
    drawing.text(SERVICE + 8, top + 16, box.name, "strong", room=146)
    drawing.text(SERVICE + 8, top + 32, box.address, room=146)
    drawing.text(SERVICE + 8, top + 48, box.selector or "no selector", room=146)
    drawing.path(f"M{SERVICE + 160} {top + 20} H{SLICE}", "link")
    look = "empty" if not box.ready else "frame"
    drawing.box(SLICE, top, 112, 40, look, f"port {box.ports}" if box.ports else "")
    drawing.text(SLICE + 8, top + 16, f"{box.ready} ready", room=100)
    drawing.text(SLICE + 8, top + 32, f"{box.not_ready} not ready", room=100)
    below = box.why or (f"{box.strangers} of no Pod" if box.strangers else "")
    # Where no Pod is selected, nothing stands beside it.
    room = (POD if box.selected else NODE) - SLICE - 16
    for number, words in enumerate(textwrap.wrap(below, int(room / LETTER))[:2]):
        drawing.text(SLICE, top + 54 + number * 15, words)


def _draw_pod(drawing: Drawing, row: PodRow, top: float) -> None:
    look, pattern, ink = ("yes", "", "in") if row.ready else ("wait", "hatch", "")
    drawing.box(POD, top, 170, LOW, look, _told_pod(row), pattern=pattern)
    number = f"{row.number} x " if row.number > 1 else ""
    drawing.text(POD + 6, top + 12, f"{number}{row.name}", f"small {ink}", room=186)
    drawing.text(POD + 6, top + 23, row.words, f"small {ink}", room=186)


def _draw_ways(
    drawing: Drawing, row: PodRow, top: float, places: dict[str, float], nodes: dict[str, float]
) -> None:
    middle = top + LOW / 2
    for service in row.served_by:
        start = places[service] + 20
        drawing.path(
            f"M{SLICE + 112} {start:.1f} C{POD - 24} {start:.1f} {SLICE + 136} {middle:.1f} "
            f"{POD} {middle:.1f}",
            "link",
            f"{service} leads to {row.name}",
        )
    if row.node:
        at = nodes[row.node]
        drawing.path(f"M{POD + 170} {middle:.1f} L{NODE} {at:.1f}", "way", f"runs on {row.node}")


def _draw_nodes(
    drawing: Drawing, seen: Topology, tops: Sequence[float], height: float
) -> dict[str, float]:
    """The boxes of the Nodes, each at the middle of its Pods where there is room."""
    wish = {}
    for node in seen.nodes:
        own = [top for row, top in zip(seen.pods, tops, strict=True) if row.node == node]
        wish[node] = sum(own) / len(own)
    places, free = {}, 28.0
    for number, node in enumerate(sorted(wish, key=lambda node: wish[node])):
        below = (len(wish) - number - 1) * 34
        top = max(free, min(wish[node], height - 32 - below))
        drawing.box(NODE, top, 122, 26, "frame", f"Node {node}")
        drawing.text(NODE + 6, top + 17, node, room=110)
        places[node], free = top + 13, top + 34
    return places
