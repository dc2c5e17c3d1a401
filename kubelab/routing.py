"""Which rule takes a request: pure functions of Ingresses, as the controller here reads them.

HTTPRoutes and Contour's own HTTPProxies may take paths at the same hosts: they are read as rules,
too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from kubelab.expressions import matches
from kubelab.objects import Object, dig, meta, name_of

CLASS = "contour"
# What Contour reads before the field, in this order (its internal/annotation, IngressClass).
ANNOTATIONS = ("projectcontour.io/ingress.class", "kubernetes.io/ingress.class")
# A path without a type is a regular expression to Contour where it holds one of these signs.
SIGNS = "^+*[]%"
# What stands in the path of a URL as it is, letters and digits besides.
IN_A_PATH = "/%:@!$&'()*+,;=~-._"
# Paths that an expression takes which takes every path.
SAMPLES = ("/", "/a", "/a/b-1", "/Menu/today.html", "/%C3%A4/_~")
# The Gateway of the course: its namespace and its name.
GATEWAY = ("kubelab-system", "course")
# The type of a path that an Ingress leaves to Contour, and that of one that is an expression.
UNTYPED = "ImplementationSpecific"
EXPRESSION = "RegularExpression"
# What an HTTPRoute and an HTTPProxy call by other names than an Ingress.
KINDS = {"PathPrefix": "Prefix", "Exact": "Exact", "RegularExpression": EXPRESSION}
CONDITIONS = {"prefix": "Prefix", "exact": "Exact", "regex": EXPRESSION}
# So many inclusions of HTTPProxies are read: those that include each other have more than anybody
# can ask for.
MOST = 100


@dataclass(frozen=True)
class Rule:
    """One path of an Ingress, or of what is read as one; `host` is empty where it is for all."""

    ingress: str
    host: str
    path: str
    kind: str
    service: str
    port: int | str

    @property
    def words(self) -> str:
        """Where the rule leads, as `kubectl describe` says it."""
        return f"{self.service}:{self.port}"


def host_of(label: str, namespace: str) -> str:
    """The whole name of a host: `shop.lab-05.localhost`."""
    return f"{label}.{namespace}.localhost"


def class_of(ingress: Object) -> str:
    """The class that an Ingress asks for; empty where it names none."""
    annotations = meta(ingress).get("annotations") or {}
    noted = next((annotations[one] for one in ANNOTATIONS if one in annotations), "")
    return str(noted or dig(ingress, "spec", "ingressClassName") or "")


def is_served(ingress: Object) -> bool:
    """Whether the cluster's controller takes the Ingress for its own."""
    return class_of(ingress) in ("", CLASS)


def covers(pattern: str, host: str) -> bool:
    """Whether a name, or a wildcard for one label, is for the host."""
    if pattern.startswith("*."):
        return host.partition(".")[2].lower() == pattern[2:].lower()
    return pattern.lower() == host.lower()


def rules(ingress: Object) -> Iterator[Rule]:
    """Every rule of an Ingress; its default backend is one for every host and path."""
    spec = ingress.get("spec") or {}
    for one in spec.get("rules") or ():
        for path in dig(one, "http", "paths") or ():
            yield rule(ingress, one.get("host") or "", path)
    if spec.get("defaultBackend"):
        yield rule(ingress, "", {"backend": spec["defaultBackend"]})


def rule(ingress: Object, host: str, path: Object) -> Rule:
    """One path of an Ingress."""
    service = dig(path, "backend", "service") or {}
    port = service.get("port") or {}
    return Rule(
        name_of(ingress),
        host,
        path.get("path") or "/",
        path.get("pathType") or UNTYPED,
        str(service.get("name") or ""),
        port.get("number") or port.get("name") or 0,
    )


def carries(ingress: Object, host: str) -> bool:
    """Whether an Ingress has a rule for the host by name or wildcard."""
    return any(one.host and covers(one.host, host) for one in rules(ingress))


def is_expression(one: Rule) -> bool:
    """Whether a rule's path is a regular expression."""
    if one.kind == UNTYPED:
        return bool(set(one.path) & set(SIGNS))
    return one.kind == EXPRESSION


def fits(one: Rule, path: str) -> bool:
    """Whether a rule takes the path; without a type it is a plain beginning of the text here."""
    if one.kind == "Exact":
        return path == one.path
    if one.kind == "Prefix":
        return below(one.path, path)
    return matches(one.path, path) if is_expression(one) else path.startswith(one.path)


def is_askable(one: Rule) -> bool:
    """Whether the text of a rule's path is itself a path to ask for, which the rule takes.

    That of most expressions is none. Nor is one with a letter that a client writes in another way:
    Envoy compares what the client has written.
    """
    return one.path.startswith("/") and is_written(one.path) and fits(one, one.path)


def is_written(path: str) -> bool:
    """Whether a path stands in a URL as it is: no space, no `?`, no letter beyond ASCII."""
    return quote(path, safe=IN_A_PATH) == path


def below(prefix: str, path: str) -> bool:
    """Whether every element of the prefix is an element of the path."""
    whole = prefix.rstrip("/")
    return path == whole or path.startswith(f"{whole}/")


def gateways(route: Object | None, namespace: str) -> list[str]:
    """The Gateways that a route of a namespace asks for, each with its namespace."""
    return [
        f"{one.get('namespace') or namespace}/{one.get('name')}"
        for one in dig(route, "spec", "parentRefs") or ()
        if one.get("kind", "Gateway") == "Gateway"
    ]


def nearness(route: Object, host: str, namespace: str) -> int | None:
    """How closely an HTTPRoute of the course's Gateway names a host; None where it is not for it.

    Without hostnames it is for all. A wildcard is for names of several labels here, and takes
    nothing of a host that somebody names more closely.
    """
    if "/".join(GATEWAY) not in gateways(route, namespace):
        return None
    names: list[str] = dig(route, "spec", "hostnames") or [""]
    ends = [name.removeprefix("*") for name in names if name in ("", host) or name[:1] == "*"]
    return max((len(one) for one in ends if host.endswith(one)), default=None)


def routed(route: Object, host: str, namespace: str) -> Iterator[Rule]:
    """The paths that an HTTPRoute of the course's Gateway names for a host."""
    if nearness(route, host, namespace) is None:
        return
    for rule in dig(route, "spec", "rules") or ():
        backend: Object = next(iter(rule.get("backendRefs") or ()), {})
        matches: list[Object] = rule.get("matches") or [{}]
        for match in matches:
            path = match.get("path") or {}
            yield Rule(
                name_of(route),
                host,
                str(path.get("value") or "/"),
                KINDS[path.get("type") or "PathPrefix"],
                str(backend.get("name") or ""),
                backend.get("port") or 0,
            )


def proxied(proxies: Iterable[Object], host: str) -> Iterator[Rule]:
    """The paths that HTTPProxies name for a host, and those that they include."""
    known = {name_of(one): one for one in proxies}
    for one in known.values():
        if covers(str(dig(one, "spec", "virtualhost", "fqdn")), host):
            for proxy, before in included(one, known):
                yield from routes(proxy, host, before)


def included(root: Object, known: Mapping[str, Object]) -> Iterator[tuple[Object, str]]:
    """An HTTPProxy and those that it includes, each with the paths under which it does so.

    None includes itself, by way of others neither: Contour refuses that.
    """
    found: list[tuple[Object, str, frozenset[str]]] = [(root, "", frozenset([name_of(root)]))]
    seen: set[tuple[str, str]] = set()
    for proxy, before, above in found:
        yield proxy, before
        for one in dig(proxy, "spec", "includes") or ():
            name, path = str(one.get("name")), f"{before}{condition(one)[0]}".rstrip("/")
            here = one.get("namespace") in (None, "", meta(proxy).get("namespace"))
            if not here or name not in known or name in above or (name, path) in seen:
                continue
            if len(found) < MOST:
                seen.add((name, path))
                found.append((known[name], path, above | {name}))


def routes(proxy: Object, host: str, before: str) -> Iterator[Rule]:
    """The paths of an HTTPProxy below those under which another one includes it."""
    for one in dig(proxy, "spec", "routes") or ():
        path, kind = condition(one)
        service: Object = next(iter(one.get("services") or ()), {})
        name, port = str(service.get("name") or ""), service.get("port") or 0
        yield Rule(name_of(proxy), host, f"{before}{path}" or "/", kind, name, port)


def condition(one: Object) -> tuple[str, str]:
    """The path that a route or an include of an HTTPProxy is for, and its type."""
    found = [
        (str(each[key]), kind)
        for each in one.get("conditions") or ()
        for key, kind in CONDITIONS.items()
        if each.get(key)
    ]
    return found[0] if found else ("", CONDITIONS["prefix"])


def taking(several: Iterable[Rule], host: str, path: str) -> Rule | None:
    """The rule that takes a request: exact before longest, a name before a wildcard before none."""
    fitting = [
        one for one in several if (not one.host or covers(one.host, host)) and fits(one, path)
    ]
    return max(fitting, key=lambda one: rank(one, host), default=None)


def rank(one: Rule, host: str) -> tuple[int, bool, int]:
    """How closely a rule fits."""
    named = 2 if one.host.lower() == host.lower() else 1 if one.host else 0
    return named, one.kind == "Exact", len(one.path.rstrip("/"))
