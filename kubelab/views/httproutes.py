"""An HTTPRoute as a check reads it: what its Gateway says of it, and how requests are split."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kubelab import chance, endpoints, envoy, expressions, routing
from kubelab.ask import Answer
from kubelab.objects import Object, dig, meta
from kubelab.seen import Seen
from kubelab.views.base import View
from kubelab.views.ingresses import answerers, depend_on, deployments_of, words

if TYPE_CHECKING:
    from kubelab.checking import LabView


class RouteView(View):
    """One HTTPRoute, and the host `<label>.<namespace>.localhost` that it is there for."""

    KIND = "HTTPRoute"

    def __init__(self, lab: LabView, name: str, label: str) -> None:
        super().__init__(lab, name)
        self.host = routing.host_of(label, lab.namespace)
        self.backends = backends(self.body)
        self.beside = beside(self.body)
        for several in (self.backends, *(few for _, few in self.beside)):
            for one in several:
                depend_on(lab, str(one.get("name")))

    @property
    def rivals(self) -> Seen:
        """How many Ingresses carry the host, too."""
        found = [
            name
            for name, body in self._lab.snapshot.kind("Ingress").items()
            if routing.carries(body, self.host)
        ]
        return self._seen(
            len(found),
            "Ingresses with the host",
            "carried-by-ingress",
            given=True,
            show=lambda one: f"Ingress {', '.join(found)} has the host" if one else "no Ingress",
        )

    @property
    def alone(self) -> Seen:
        """Whether nobody else takes requests to the host: an HTTPRoute, or Contour's own kind.

        Whoever names it less closely, by a wildcard, gets none of them.
        """
        namespace = self._lab.namespace
        near = {
            name: routing.nearness(body, self.host, namespace)
            for name, body in self._lab.snapshot.kind("HTTPRoute").items()
        }
        least = near.pop(self.name, None) or 0
        found = [
            f"HTTPRoute {name}" for name, one in near.items() if one is not None and one >= least
        ]
        found += [
            f"HTTPProxy {name}"
            for name, body in self._lab.snapshot.kind("HTTPProxy").items()
            if routing.covers(fqdn := str(dig(body, "spec", "virtualhost", "fqdn")), self.host)
            and len(fqdn.removeprefix("*")) >= least
        ]
        return self._seen(
            not found,
            "HTTPRoutes with the host",
            "wrong-backend",
            given=True,
            show=lambda one: (
                "no other HTTPRoute" if one else f"{', '.join(found)} has the host, too"
            ),
        )

    @property
    def on_gateway(self) -> Seen:
        """Whether it asks for the Gateway of the course."""
        asked = routing.gateways(self.body, self._lab.namespace)
        wanted = "/".join(routing.GATEWAY)
        return self._seen(
            wanted in asked,
            "Gateway",
            "wrong-gateway",
            given=True,
            show=lambda one: f"Gateway {wanted if one else ', '.join(asked) or 'none'}",
        )

    @property
    def accepted(self) -> Seen:
        """Whether the Gateway accepts the route as it is written now."""
        return self._condition("Accepted", "not-accepted")

    @property
    def resolved(self) -> Seen:
        """Whether every backend that it names is there and may be named."""
        return self._condition("ResolvedRefs", "unresolved-refs")

    @property
    def for_host(self) -> Seen:
        """Whether it names the host."""
        names = dig(self.body, "spec", "hostnames") or []
        return self._seen(
            any(routing.covers(one, self.host) for one in names),
            "hostnames",
            "wrong-host",
            given=True,
            show=lambda one: f"for {self.host if one else ', '.join(names) or 'every host'}",
        )

    def weights(self, several: Sequence[str]) -> Seen:
        """The weights that lead to the Pods of these Deployments, in lowest terms."""
        return self._seen(
            self._shares(self.backends, several),
            "weights",
            "wrong-weight" if self.backends else "wrong-path",
            given=True,
            show=lambda one: f"weights {in_ratio(one or ['none'])}",
            found=None if self.backends else "no rule takes every path",
        )

    def alike(self, several: Sequence[str]) -> Seen:
        """Whether every rule splits between the Pods of these Deployments as the first one does."""
        wanted = self._shares(self.backends, several)
        away = next((f"no backend {where}" for where, few in self.beside if not few), "")
        other = away or next(
            (
                f"weights {in_ratio(found)} {where}"
                for where, few in self.beside
                if (found := self._shares(few, several)) != wanted
            ),
            "",
        )
        twice = "" if other else mirrored(self.body)
        other = other or twice
        return self._seen(
            not other,
            "rules",
            "wrong-backend" if away else "wrong-split" if twice else "wrong-weight",
            given=True,
            show=lambda one: "every rule alike" if one else other,
        )

    def _shares(self, backends: Sequence[Object], several: Sequence[str]) -> list[int]:
        """The weights that lead to these Deployments, then to others, in lowest terms."""
        found: Counter[str] = Counter()
        for one in backends:
            service = self._lab.snapshot.get("Service", str(one.get("name")))
            behind = deployments_of(self._lab, service)
            found[" and ".join(behind)] += one.get("weight", 1)
        numbers = [found.pop(name, 0) for name in several] + sorted(filter(None, found.values()))
        least = math.gcd(*numbers) or 1
        return [one // least for one in numbers]

    def follows_later(self) -> None:
        """Note that requests went another way than the route, if there is a Pod on its way.

        A second route for the host would explain it.
        """
        if not self.alone.value:
            return
        several = self._lab.snapshot.kind("EndpointSlice").values()
        behind = [endpoints.slices_of(str(one.get("name")), several) for one in self.backends]
        if all(map(endpoints.addresses, behind)):
            self._lab.unfollowed = True

    def requests(self, number: int) -> RequestsView:
        """The answers to so many requests to `/` at the host."""
        return RequestsView(self, number)

    def _condition(self, kind: str, reason: str) -> Seen:
        """A condition of the route for the Gateway of the course, as far as it is of today."""
        said = [self._said(one, kind) for one in parents(self.body)]
        bad = next((one for one in said if one != "True"), "" if said else "not said yet")
        return self._seen(
            not bad,
            kind,
            reason,
            show=lambda one: f"{kind} {'True' if one else bad}",
        )

    def _said(self, parent: Object, kind: str) -> str:
        """`True`, or what is said instead: the status and its reason."""
        several = parent.get("conditions") or ()
        found: Object = next((one for one in several if one["type"] == kind), {})
        if found.get("observedGeneration") != meta(self.body or {}).get("generation"):
            return "not said yet of the newest generation"
        status = str(found.get("status"))
        return status if status == "True" else f"{status}: {found.get('reason')}"


class RequestsView:
    """The answers to many requests of one look."""

    def __init__(self, route: RouteView, number: int) -> None:
        self.route = route
        self.number = number
        self.found: list[Answer] = []
        if route.body is not None:
            self.found = envoy.get(route._lab.cluster, route.host, count=number)
        self.by = Counter(
            who for one in self.found for who in answerers(route._lab, [one]) if one.status == 200
        )

    @property
    def lost(self) -> Seen:
        """How many requests got no good answer."""
        bad = [one for one in self.found if one.status != 200 or not one.pod]
        statuses = {one.status for one in bad}
        if 404 in statuses or any(one.status == 503 and not envoy.cut(one) for one in bad):
            self.route.follows_later()
        reason = "not-routed" if 404 in statuses else "no-answer"
        return self.route._seen(
            self.number - len(self.found) + len(bad),
            "requests without an answer",
            "no-endpoints" if 503 in statuses else reason,
            show=lambda one: (
                f"{one} of {self.number:,} requests lost" + (f": {words(bad)}" if bad else "")
            ),
        )

    def strangers(self, several: Sequence[str]) -> Seen:
        """How many requests somebody else than these Deployments answered."""
        others = [one for one in self.by if one not in several]
        return self.route._seen(
            sum(self.by[one] for one in others),
            "others",
            "wrong-backend",
            show=lambda one: (
                f"answers from {', '.join(others)}"
                if one
                else f"answers from {' and '.join(several)} alone"
            ),
        )

    def within(self, several: Sequence[str], weights: Sequence[int]) -> Seen:
        """Whether the first Deployment's share is one that its weight leads to by chance."""
        first, total = several[0], sum(self.by.values())
        low, high = chance.band(total, weights[0] / sum(weights))
        good = total > 0 and low <= self.by[first] <= high
        if not good:
            self.route.follows_later()
        return self.route._seen(
            good,
            "share",
            "wrong-split",
            show=lambda one: f"{low} to {high} of {total:,} by {first}",
            found=f"{self.by[first]} of {total:,} by {first}",
        )


def parents(route: Object | None) -> list[Object]:
    """What the course's Gateway says of a route, an entry for each way in which it is asked."""
    return [
        one
        for one in dig(route, "status", "parents") or ()
        if (dig(one, "parentRef", "namespace"), dig(one, "parentRef", "name")) == routing.GATEWAY
    ]


def backends(route: Object | None) -> list[Object]:
    """The backends of the rule that is meant for every path."""
    found: list[Object] = (main_rule(route) or {}).get("backendRefs") or []
    return found


def main_rule(route: Object | None) -> Object | None:
    """The first rule that takes every path, or `/` where several take every path together."""
    several: list[Object] = dig(route, "spec", "rules") or []
    whole = next(filter(takes_all, several), None)
    if whole is None and all(any(takes(one, path) for one in several) for path in routing.SAMPLES):
        whole = next((one for one in several if takes(one, "/")), None)
    return whole


def beside(route: Object | None) -> list[tuple[str, list[Object]]]:
    """The backends of each other rule that requests may meet, and in words which ones."""
    main = main_rule(route)
    return [
        (part_of((rule.get("matches") or [{}])[0]), rule.get("backendRefs") or [])
        for rule in dig(route, "spec", "rules") or ()
        if rule is not main and not (main and is_plain(rule) and is_plain(main))
    ]


def is_plain(rule: Object) -> bool:
    """Whether a rule takes every path by its beginning, where the first of several counts."""
    return takes_all(rule) and all(
        dig(one, "path", "type") in (None, "PathPrefix") for one in rule.get("matches") or ()
    )


def takes(rule: Object, path: str) -> bool:
    """Whether a rule takes each request to a path."""
    matches = rule.get("matches")
    return not matches or any(is_free(one) and fits(one, path) for one in matches)


def fits(match: Object, path: str) -> bool:
    """Whether a match takes a path."""
    asked = match.get("path") or {}
    kind, value = asked.get("type", "PathPrefix"), str(asked.get("value", "/"))
    if kind == "RegularExpression":
        return expressions.matches(value, path)
    return path == value if kind == "Exact" else routing.below(value, path)


def is_free(match: Object) -> bool:
    """Whether a match asks for nothing but a path."""
    return not any(match.get(key) for key in ("headers", "queryParams", "method"))


def mirrored(route: Object | None) -> str:
    """Which requests are sent to somebody else, too, in words; empty where none are."""
    for rule in dig(route, "spec", "rules") or ():
        filters = [*(rule.get("filters") or ())]
        filters += [
            one for ref in rule.get("backendRefs") or () for one in ref.get("filters") or ()
        ]
        copied = next((one for one in filters if one.get("type") == "RequestMirror"), None)
        if copied:
            name = dig(copied, "requestMirror", "backendRef", "name")
            return f"each request goes to {name}, too"
    return ""


def part_of(match: Object) -> str:
    """Which requests a match takes, in words."""
    value = dig(match, "path", "value") or "/"
    return f"for {value}" if value != "/" else "for some requests"


def takes_all(rule: Object) -> bool:
    """Whether a rule takes every path."""
    return not rule.get("matches") or any(map(is_whole, rule["matches"]))


def in_ratio(numbers: Sequence[object]) -> str:
    """Numbers as a ratio: `3:1`."""
    return ":".join(map(str, numbers))


def is_whole(match: Object) -> bool:
    """Whether a match takes every path, and asks for nothing else."""
    return is_free(match) and all(fits(match, path) for path in routing.SAMPLES)
