"""An Ingress as a check reads it: what is written, and who answers at its host."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from kubelab import endpoints, envoy, replacing, routing
from kubelab.ask import Answer
from kubelab.objects import Object, dig, name_of
from kubelab.seen import Seen
from kubelab.settled import pods_of
from kubelab.views.base import View
from kubelab.views.services import by_hand_words

if TYPE_CHECKING:
    from kubelab.checking import LabView

# Each path is asked so often: several Pods may stand behind it.
TIMES = 4
NOBODY = "nobody"


class IngressView(View):
    """One Ingress, and the host `<label>.<namespace>.localhost` that it is there for.

    Other Ingresses of the namespace may carry rules for the host, and so may HTTPRoutes and
    HTTPProxies: a request meets them all.
    """

    KIND = "Ingress"

    def __init__(self, lab: LabView, name: str, label: str) -> None:
        super().__init__(lab, name)
        self.host = routing.host_of(label, lab.namespace)
        self.ingresses = list(lab.snapshot.kind("Ingress").values())
        self.rules = [one for body in self._served() for one in routing.rules(body)]
        for body in self.ingresses:
            if routing.carries(body, self.host):
                lab.look(self.KIND, name_of(body))
        for name, body in lab.snapshot.kind("HTTPRoute").items():
            if routing.nearness(body, self.host, lab.namespace) is not None:
                lab.look("HTTPRoute", name)
        # Each of them: one that is for the host no more may be followed late, too.
        for name in lab.snapshot.kind("HTTPProxy"):
            lab.look("HTTPProxy", name)
        for service in {one.service for one in self.rules if not self._apart(one)}:
            depend_on(lab, service)

    @property
    def for_host(self) -> Seen:
        """Whether a rule of this Ingress is for the host."""
        hosts = dict.fromkeys(one.host or "every host" for one in routing.rules(self.body or {}))
        return self._seen(
            routing.carries(self.body or {}, self.host),
            "host",
            "wrong-host",
            given=True,
            show=lambda one: f"a rule for {self.host}" if one else f"no rule for {self.host}",
            found=None if self.host in hosts else f"rules for {', '.join(hosts) or 'no host'}",
        )

    @property
    def served(self) -> Seen:
        """Whether a controller of this cluster takes it for its own."""
        found = routing.class_of(self.body or {})
        return self._seen(
            routing.is_served(self.body or {}),
            "class",
            "wrong-class",
            given=True,
            show=lambda one: "a class that is served here" if one else f"class {found}",
        )

    @property
    def secured(self) -> Seen:
        """Whether a TLS entry names the host: without, nobody knows when to show a certificate."""
        hosts = [host for one in self._served() for host in secured_by(one)]
        unread = any(self.host in secured_by(one) for one in self.ingresses)
        return self._seen(
            self.host in hosts,
            "TLS",
            "wrong-class" if unread else "no-tls",
            given=True,
            show=lambda one: f"TLS for {self.host if one else ', '.join(hosts) or 'no host'}",
        )

    def answered(self, path: str, wanted: str, *, scheme: str = "http") -> Seen:
        """The Deployment whose Pods answer a path at the host; None where none does.

        `wanted` is the one that should: where what is written leads elsewhere, that tells why.
        """
        rule = routing.taking(self.rules, self.host, path)
        fault = self._written_fault(rule, path, wanted) if self.body is not None else "not-found"
        found: list[Answer] = []
        if self.body is not None:
            found = envoy.get(self._lab.cluster, self.host, path, scheme=scheme, count=TIMES)
        who = answerers(self._lab, found)
        if who and rule and wanted in (behind := self._ready_behind(rule)):
            # A few requests may all miss somebody who stands there, too.
            who = sorted({*who, *behind})
        if not fault and who != [wanted] and not self._explained(rule, found):
            self._lab.unfollowed = True
        where = path if scheme == "http" else f"HTTPS {path}"
        return self._seen(
            " and ".join(who) if who else None,
            where,
            fault or self._seen_fault(rule, found),
            given=bool(fault) and fault != "not-found",
            show=lambda one: f"{where} answered by {one or NOBODY}",
            found=None if who else f"{where} {words(found)}",
        )

    @property
    def hand_made(self) -> Seen:
        """How many EndpointSlices of the Services behind its host somebody wrote by hand."""
        services = {one.service for one in self.rules if not self._apart(one)}
        slices = self._lab.snapshot.kind("EndpointSlice").values()
        several = [one for name in services for one in endpoints.slices_of(name, slices)]
        found = endpoints.by_hand(several)
        label = f"{endpoints.SERVICE_LABEL}={next(map(endpoints.service_of, found), '')}"
        return self._seen(
            len(found),
            "EndpointSlices written by hand",
            "endpoints-by-hand",
            given=True,
            show=by_hand_words,
            look=f"kubectl -n {self._lab.namespace} get endpointslices -l {label}",
        )

    def named(self, root: str) -> tuple[list[str], list[str]]:
        """The paths that are named for the host, each with one beneath it: below a root, others.

        What is no path itself is left out: nobody knows which ones an expression means.
        """
        several = [one for one in self.rules if not self._apart(one)] + self._beside(self.host)
        paths = dict.fromkeys(
            path
            for one in several
            if routing.is_askable(one)
            for path in (one.path, self.beneath(one.path))
        )
        below = [one for one in paths if routing.below(root, one)]
        return below, [one for one in paths if one not in below]

    @property
    def elsewhere(self) -> Seen:
        """The status that another host of the namespace gets from the learner's own rules and Pods.

        What a rule for every host answers in some other namespace is not the learner's.
        """
        found, taken = None, ""
        if self.body is not None:
            host = routing.host_of("elsewhere", self._lab.namespace)
            loose = [one for one in self.rules if not one.host or routing.covers(one.host, host)]
            loose += self._beside(host)
            asked = [one for one in loose if routing.is_askable(one)]
            unsure = [one for one in loose if one not in asked or routing.is_expression(one)]
            taken = unsure[0].path if unsure else ""
            paths = dict.fromkeys(["/", *(one.path for one in asked)])
            told = [self._told_elsewhere(host, path) for path in paths]
            found = next((one for one in told if one != 404), None if taken else 404)
            if found is None and loose:
                taken = taken or loose[0].path
        return self._seen(
            found,
            "another host",
            "every-host",
            show=lambda one: f"another host gets {one if one is not None else 'no answer'}",
            found=f"another host gets what {taken} takes" if taken else None,
        )

    def through(self, path: str, wanted: str) -> Seen:
        """Whether its own rule takes the path and leads to the Deployment."""
        own = list(routing.rules(self.body or {}))
        fault = self._fault_of(routing.taking(own, self.host, path), own, path, wanted)
        way = f"{path} through Ingress {self.name}"
        return self._way(fault, way, f"{path} not through Ingress {self.name}")

    def through_any(self, path: str, wanted: str) -> Seen:
        """Whether a rule of an Ingress takes the path and leads to the Deployment.

        What HTTPRoutes and HTTPProxies do beside them may look alike from outside.
        """
        fault = self._written_fault(routing.taking(self.rules, self.host, path), path, wanted)
        return self._way(fault, f"{path} through an Ingress", f"{path} not through an Ingress")

    def _way(self, fault: str, way: str, other: str) -> Seen:
        return self._seen(
            not fault, "way", fault, given=True, show=lambda one: way if one else other
        )

    @staticmethod
    def beneath(path: str) -> str:
        """A path below another, of a name that nobody could know before."""
        return f"{path.rstrip('/')}/{secrets.token_hex(4)}"

    @staticmethod
    def beginning_alike(path: str) -> str:
        """A path whose text begins like another one, and which is not below it."""
        return f"{path.rstrip('/')}{secrets.token_hex(4)}"

    def _told_elsewhere(self, host: str, path: str) -> int | None:
        """The status of another host, 404 where it is no doing of the learner's."""
        (answer,) = envoy.get(self._lab.cluster, host, path)
        rule = routing.taking(self.rules, host, path)
        if answer.status == 404 and rule is not None and self._leads_on(rule):
            # Not followed yet: what is written takes the request to a Pod.
            self._lab.unfollowed = True
            return None
        rule = rule or routing.taking(self._beside(host), host, path)
        mine = answer.pod in self._lab.snapshot.kind("Pod") or rule is not None
        if mine and rule is None and answer.status != 404:
            # Nothing that is written leads there: it did a moment ago.
            self._lab.unfollowed = True
        return answer.status if mine else 404

    def _beside(self, host: str) -> list[routing.Rule]:
        """What HTTPRoutes, and Contour's own kind, take at a host."""
        namespace, several = self._lab.namespace, self._lab.snapshot.kind("HTTPRoute").values()
        found = [one for body in several for one in routing.routed(body, host, namespace)]
        return found + list(routing.proxied(self._lab.snapshot.kind("HTTPProxy").values(), host))

    def _leads_on(self, rule: routing.Rule) -> bool:
        """Whether a rule leads to a port of a Service with a ready Pod behind it."""
        service = self._lab.snapshot.get("Service", rule.service)
        return service is not None and has_port(service, rule.port) and bool(self._slices(rule))

    def _ready_behind(self, rule: routing.Rule) -> list[str]:
        """The Deployments whose ready Pods a rule's Service selects; a Pod of none by its name."""
        known, service = owners(self._lab), self._lab.snapshot.get("Service", rule.service)
        several = endpoints.selected(service, self._lab.snapshot.kind("Pod").values())
        ready = filter(endpoints.is_ready, several)
        return sorted({known.get(name_of(one), f"Pod {name_of(one)}") for one in ready})

    # Why not

    def _written_fault(self, rule: routing.Rule | None, path: str, wanted: str) -> str:
        """What is written wrong on the way of a request; empty where it leads to the Deployment."""
        carrying = [one for one in self.ingresses if routing.carries(one, self.host)]
        if not carrying:
            return "wrong-host"
        if not any(map(routing.is_served, carrying)):
            return "wrong-class"
        return self._fault_of(rule, self.rules, path, wanted)

    def _fault_of(
        self, rule: routing.Rule | None, rules: list[routing.Rule], path: str, wanted: str
    ) -> str:
        """What is wrong with the rule, one of several, that takes a path; empty where nothing."""
        if rule is None:
            return "wrong-path"
        service = self._lab.snapshot.get("Service", rule.service)
        if service is None:
            return "no-service"
        if not has_port(service, rule.port):
            return "wrong-port"
        behind = deployments_of(self._lab, service)
        if behind and behind != [wanted]:
            by_type = self._by_type(rule, rules, path, wanted)
            return "wrong-path-type" if by_type else "wrong-backend"
        return ""

    def _by_type(
        self, rule: routing.Rule, rules: list[routing.Rule], path: str, wanted: str
    ) -> bool:
        """Whether another type of path would have made the difference."""
        if rule.kind == routing.UNTYPED and not routing.below(rule.path, path):
            return True
        return any(
            one.kind == "Exact"
            and routing.below(one.path, path)
            and deployments_of(self._lab, self._lab.snapshot.get("Service", one.service))
            == [wanted]
            for one in rules
            if one.host and routing.covers(one.host, self.host)
        )

    def _seen_fault(self, rule: routing.Rule | None, found: list[Answer]) -> str:
        """What an answer tells where nothing is written wrong."""
        statuses = {one.status for one in found}
        if 404 in statuses:
            return "not-routed"
        if 503 in statuses:
            return "wrong-target-port" if self._slices(rule) else "no-endpoints"
        return "wrong-backend" if 200 in statuses else "no-answer"

    def _explained(self, rule: routing.Rule | None, found: list[Answer]) -> bool:
        """Whether what is written and runs leads to such answers: nobody is ready, or listens."""
        if any(one.status == 404 for one in found):
            return False
        slices = self._slices(rule)
        return not slices or replacing.refuse(self._lab.cluster, slices)

    def _slices(self, rule: routing.Rule | None) -> list[Object]:
        """The EndpointSlices behind a rule that have a ready address."""
        several = self._lab.snapshot.kind("EndpointSlice").values()
        found = endpoints.slices_of(rule.service if rule else "", several)
        return [one for one in found if endpoints.addresses([one])]

    def _served(self) -> list[Object]:
        return [one for one in self.ingresses if routing.is_served(one)]

    def _apart(self, rule: routing.Rule) -> bool:
        """Whether a rule is for another host."""
        return bool(rule.host) and not routing.covers(rule.host, self.host)


def depend_on(lab: LabView, service: str) -> None:
    """Note a Service, its EndpointSlices and its Pods as what the check depends on."""
    body = lab.look("Service", service)
    for one in endpoints.slices_of(service, lab.snapshot.kind("EndpointSlice").values()):
        lab.look("EndpointSlice", name_of(one))
    for one in lab.snapshot.kind("Pod").values():
        if endpoints.selects(body, one):
            lab.look("Pod", name_of(one))


def secured_by(ingress: Object) -> list[str]:
    """The hosts of an Ingress's TLS entries."""
    entries = dig(ingress, "spec", "tls") or ()
    return [host for entry in entries for host in entry.get("hosts") or ()]


def has_port(service: Object, port: int | str) -> bool:
    """Whether a Service listens on a port, by its number or its name."""
    ports = dig(service, "spec", "ports") or ()
    return any(port in (one.get("port"), one.get("name")) for one in ports)


def owners(lab: LabView) -> dict[str, str]:
    """The Deployment of every Pod that has one, by the Pod's name."""
    objects = [
        (kind, one) for kind in ("ReplicaSet", "Pod") for one in lab.snapshot.kind(kind).values()
    ]
    return {
        name_of(pod): name
        for name, body in lab.snapshot.kind("Deployment").items()
        for pod in pods_of(body, objects)
    }


def told_owners(lab: LabView) -> dict[str, str]:
    """The same, also by the name that a Pod's page tells."""
    known, pods, source = owners(lab), lab.snapshot.kind("Pod"), lab.snapshot.get
    return {endpoints.called(pods[name], source): one for name, one in known.items()} | known


def deployments_of(lab: LabView, service: Object | None) -> list[str]:
    """The Deployments whose Pods a Service selects, or would select if there were any."""
    known = owners(lab)
    several = endpoints.selected(service, lab.snapshot.kind("Pod").values())
    chosen = {name_of(one) for one in several}
    empty = {
        name
        for name, body in lab.snapshot.kind("Deployment").items()
        if name not in known.values()
        and endpoints.selects(service, dig(body, "spec", "template") or {})
    }
    return sorted({known.get(name, name) for name in chosen} | empty)


def answerers(lab: LabView, found: list[Answer]) -> list[str]:
    """Who answered, by Deployment; a Pod of none by its own name, and nobody by the status."""
    good = [one for one in found if one.status == 200 and one.pod]
    known = told_owners(lab) if good else {}
    who = {known.get(str(one.pod), f"Pod {one.pod}") for one in good}
    if good and len(good) < len(found):
        who.add(NOBODY)
    return sorted(who)


def words(found: list[Answer]) -> str:
    """A bad answer in words: `404` or `503 no healthy upstream`."""
    bad = next((one for one in found if one.status != 200 or not one.pod), None)
    if bad is None:
        return "not asked"
    if bad.status is None:
        return f"no answer: {bad.error}"
    said = envoy.cut(bad) or bad.body.partition("\n")[0].partition(".")[0]
    return f"{bad.status} {said[:40]}".strip()
