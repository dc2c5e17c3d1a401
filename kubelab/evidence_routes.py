"""The way of a request, drawn for a failure: from a host over a rule and a Service to its Pods."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from kubelab import endpoints, routing
from kubelab.checking import LabView
from kubelab.objects import Object, dig, name_of

KINDS = ("Ingress", "HTTPRoute")
LINES = 6
LEFT = 38
# Two hosts this much alike (1 is the same) were meant to be the same; they share their endings.
NEAR = 0.85


def chain(lab: LabView, body: Object) -> list[str]:
    """An Ingress or an HTTPRoute, and where each of its rules leads."""
    if body.get("kind") == "Ingress":
        head = f"class {routing.class_of(body) or 'none'}"
        told = [
            (f"{one.host or 'every host'} {one.path}", f"{one.kind} -> {leads(lab, one)}")
            for one in routing.rules(body)
        ]
    else:
        names = dig(body, "spec", "hostnames") or ()
        head = f"for {', '.join(names) or 'every host'}"
        told = [*conditions(body), *backends(lab, body)]
    lines = [aligned(f"{body.get('kind')} {name_of(body)}", head)]
    shown = told[:LINES]
    for number, (left, right) in enumerate(shown, 1):
        lines.append(aligned(f"{'└─' if number == len(shown) else '├─'} {left}", right))
    return lines


def conditions(route: Object) -> Iterator[tuple[str, str]]:
    """What the Gateways say of a route."""
    parents = dig(route, "status", "parents") or ()
    if not parents:
        yield "no Gateway", "says anything of it"
    for parent in parents:
        for one in parent.get("conditions") or ():
            words = one["status"] if one["status"] == "True" else f"False: {one.get('reason')}"
            yield one["type"], words


def backends(lab: LabView, route: Object) -> Iterator[tuple[str, str]]:
    """The backends of a route, with their weights."""
    for rule in dig(route, "spec", "rules") or ():
        for one in rule.get("backendRefs") or ():
            place = one.get("namespace")
            where = f"{place}/" if place else ""
            name, port = str(one.get("name")), one.get("port") or 0
            words = "in another namespace" if place else state(lab, name, port)
            yield f"weight {one.get('weight', 1)} -> {where}{name}:{port}", words


def leads(lab: LabView, rule: routing.Rule) -> str:
    """Where a rule leads, as far as it leads."""
    return f"{rule.words}, {state(lab, rule.service, rule.port)}"


def state(lab: LabView, name: str, port: int | str) -> str:
    """What is the matter with a Service that a rule names, or how many Pods are behind it."""
    service = lab.snapshot.get("Service", name)
    if service is None:
        return "no such Service"
    ports = dig(service, "spec", "ports") or ()
    have = [value for one in ports for value in (one.get("port"), one.get("name")) if value]
    if port not in have:
        # By number or by name, as it was asked for: a line of the tree is short.
        alike = [one for one in have if isinstance(one, type(port))]
        return f"listens on {', '.join(map(str, alike or have)) or 'no port'}"
    slices = endpoints.slices_of(name, lab.snapshot.kind("EndpointSlice").values())
    return f"{len(endpoints.addresses(slices))} ready"


def near_misses(lab: LabView, body: Object) -> Iterator[str]:
    """Hosts that are nearly those of the lab's namespace."""
    if body.get("kind") == "Ingress":
        found = {one.host for one in routing.rules(body)}
    else:
        found = set(dig(body, "spec", "hostnames") or ())
    wanted = routing.host_of(name_of(body), lab.namespace)
    for one in sorted(filter(None, found)):
        alike = difflib.SequenceMatcher(None, one, wanted).ratio() >= NEAR
        if alike and not one.endswith(f".{lab.namespace}.localhost"):
            yield f"{one} does not end in .{lab.namespace}.localhost"


def aligned(left: str, right: str) -> str:
    """Two columns; a long left side takes its own room."""
    return f"{left:<{LEFT}} {right}".rstrip()
