"""A Service as a check reads it: what it is, and who answers behind it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kubelab import ask, endpoints, replacing, standin
from kubelab.api import Cluster
from kubelab.errors import Busy
from kubelab.objects import Object, cleaned, dig, name_of
from kubelab.proofs import about
from kubelab.seen import Seen
from kubelab.views.base import View

if TYPE_CHECKING:
    from kubelab.checking import LabView
    from kubelab.views.members import MembersView

# A look-up is one packet each time; so many seconds for each try.
DNS_TIMES = (2.0, 4.0, 8.0, 8.0)


class ServiceView(View):
    """One Service with its EndpointSlices and the Pods that it selects."""

    KIND = "Service"

    def __init__(self, lab: LabView, name: str) -> None:
        super().__init__(lab, name)
        self.slices = endpoints.slices_of(name, lab.snapshot.kind("EndpointSlice").values())
        for one in self.slices:
            lab.look("EndpointSlice", name_of(one))
        for one in lab.snapshot.kind("Pod").values():
            if endpoints.selects(self.body, one):
                lab.look("Pod", name_of(one))

    @property
    def host(self) -> str:
        """Its whole DNS name."""
        return f"{self.name}.{self._lab.namespace}.svc.cluster.local"

    @property
    def selects(self) -> Seen:
        """Whether it has a selector, so that Kubernetes keeps its EndpointSlices."""
        return self._seen(
            bool(endpoints.selector_of(self.body)),
            "selector",
            "no-selector",
            given=True,
            show=lambda one: "a selector" if one else "no selector",
        )

    @property
    def has_address(self) -> Seen:
        """Whether it has an address of its own inside the cluster."""
        address = dig(self.body, "spec", "clusterIP")
        kind = dig(self.body, "spec", "type")
        found = "headless (clusterIP: None)" if address == "None" else f"type {kind}"
        return self._seen(
            bool(address) and address != "None",
            "address",
            "no-cluster-ip",
            given=True,
            show=lambda one: "an address in the cluster" if one else found,
        )

    @property
    def headless(self) -> Seen:
        """Whether it has a name and no address of its own."""
        address = dig(self.body, "spec", "clusterIP")
        kind = dig(self.body, "spec", "type")
        found = f"type {kind}" if kind == "ExternalName" else f"address {address}"
        return self._seen(
            address == "None",
            "headless",
            "not-headless",
            given=True,
            show=lambda one: "headless" if one else found,
        )

    @property
    def hand_made(self) -> Seen:
        """How many of its EndpointSlices somebody wrote by hand."""
        return self._seen(
            len(endpoints.by_hand(self.slices)),
            "EndpointSlices written by hand",
            "endpoints-by-hand",
            given=True,
            show=by_hand_words,
        )

    def answers(self, port: int, members: MembersView) -> AnswersView:
        """Who answers 60 requests to its name, each on a new connection."""
        return AnswersView(self, port, members)

    def follows(self, members: MembersView, port: int) -> Seen:
        """Whether the same holds again after one Pod of the Deployment was replaced."""
        lab = self._lab
        return self._proved(
            with_template(self.body, members.body),
            lambda key: replacing.follows(
                lab.cluster, lab.namespace, replacing.Trial(self.name, members.name, port), key
            ),
            "replaced",
            "a replaced Pod answers, too",
        )

    def addresses(self, members: MembersView) -> Seen:
        """The addresses that DNS gives for its name."""
        wanted = set(members.addresses)
        found: tuple[str, ...] = ()
        if self.body is not None:
            listed = set(endpoints.addresses(self.slices))
            found = told(self._lab.cluster, self.host, listed if listed == wanted else None)
        return self._seen(
            found,
            "DNS",
            lambda value: (
                "no-endpoints"
                if not value
                else "extra-endpoints"
                if set(value) - wanted
                else "missing-endpoints"
            ),
            show=lambda one: f"DNS gives {', '.join(one) or 'no address'}",
        )

    def lists_only_ready(self, members: MembersView) -> Seen:
        """Whether DNS leaves out a Pod with the same labels that is never ready."""
        lab = self._lab
        return self._proved(
            with_template(self.body, members.body),
            lambda key: standin.lists_only_ready(
                lab.cluster,
                lab.namespace,
                standin.Trial(self.name, self.host, members.names[0], members.labels),
                key,
            ),
            "only ready",
            standin.WANTED,
        )


def with_template(service: Object | None, deployment: Object | None) -> Object | None:
    """What a proof is about: the Service, and the template that it has to fit."""
    if service is None or deployment is None:
        return None
    specs = [cleaned(service).get("spec"), dig(deployment, "spec", "template")]
    return about([service, deployment], specs)


def told(cluster: Cluster, host: str, listed: set[str] | None) -> tuple[str, ...]:
    """The addresses that DNS gives for a name; asked again where a packet, or its news, is late.

    `listed`: what its EndpointSlices say, where that is as wanted: DNS will come to say so, too.
    Raises Busy where the resolver does not answer, or does not follow.
    """
    found: set[str] | None = None
    for timeout in DNS_TIMES:
        (answer,) = ask.dns(cluster, host, timeout=timeout)
        if answer.reason is None and answer.rcode != "SERVFAIL":
            found = set(answer.addresses)
            if listed is None or found == listed:
                return tuple(sorted(found))
            # What answers at once and is behind needs time, not patience.
            time.sleep(timeout / 2)
    late = "does not answer in time" if found is None else "is behind the EndpointSlices"
    raise Busy(f"The cluster's DNS {late}.", look="./lab doctor")


def by_hand_words(number: int) -> str:
    """A number of EndpointSlices that somebody wrote, in words."""
    return f"{number or 'no'} EndpointSlice{'s' * (number != 1)} written by hand"


class AnswersView:
    """The answers to the requests of one look."""

    def __init__(self, service: ServiceView, port: int, members: MembersView) -> None:
        self.service = service
        self.port = port
        self.members = members
        self.found = replacing.Answers()
        self.fault = self._fault_before()
        if not self.fault:
            self.found = replacing.asked(service._lab.cluster, service.host, port)
            service._lab.unfollowed |= self._is_late()
        if not self.fault and not self.found.pods:
            self.fault = "wrong-target-port" if self.found.refused else "no-answer"
            if members.names and self._behind and not set(self._behind) & set(members.names):
                # Whatever their port is, they are not the ones that are meant.
                self.fault = "extra-endpoints"

    @property
    def told(self) -> tuple[str, ...]:
        """The Pods that answered; of several that tell one name those behind a ready address."""
        called: dict[str, list[str]] = {}
        for one in self.members.bodies:
            name = endpoints.called(one, self.service._lab.snapshot.get)
            called.setdefault(name, []).append(name_of(one))
        behind, told = set(self._behind), list[str]()
        for who in self.found.pods:
            names = called.get(who, [who])
            reached = [name for name in names if name in behind]
            told += names if len(names) == 1 else reached or names[:1]
        return tuple(told)

    @property
    def some(self) -> Seen:
        """Whether anybody answers at all."""
        port = endpoints.port_of(self.service.body, self.port)
        words = {
            "wrong-port": f"no TCP port {self.port}",
            "no-endpoints": "no ready address behind it",
            "extra-endpoints": f"leads to {', '.join(self._behind)} alone",
            "wrong-target-port": f"refused at targetPort {dig(port, 'targetPort')}",
        }
        found = words.get(self.fault, f"no answer: {self.found.error or 'nobody'}")
        return self._seen(
            bool(self.found.pods),
            "answered",
            self.fault or "no-answer",
            given=self.fault == "wrong-port",
            show=lambda one: f"answers on port {self.port}" if one else found,
        )

    @property
    def strangers(self) -> Seen:
        """How many Pods answer, or stand behind it, that do not belong to the Deployment."""
        # An answer says what its Pod claims to be; the controller says who stands behind.
        several = dict.fromkeys([*self.told, *self._behind])
        others = [one for one in several if one not in self.members.names]
        return self._seen(
            len(others),
            "others",
            "extra-endpoints",
            show=lambda one: (
                f"answers from {', '.join(others)}"
                if one
                else f"answers from {self.members.name} alone"
            ),
        )

    @property
    def silent(self) -> Seen:
        """How many Pods of the Deployment answer none of the requests."""
        names = self.members.names
        sticky = dig(self.service.body, "spec", "sessionAffinity") == "ClientIP"
        reason = "session-affinity" if sticky else "missing-endpoints"
        return self._seen(
            len(names) - self._heard,
            f"Pods of {self.members.name} that do not answer",
            reason,
            given=sticky,
            show=lambda one: f"answers from {len(names) - one} of {len(names)} Pods",
        )

    @property
    def reached(self) -> Seen:
        """How many Pods of the Deployment answer."""
        names = self.members.names
        return self._seen(
            self._heard,
            f"Pods of {self.members.name} that answer",
            "missing-endpoints",
            show=lambda one: f"answers from {one} of {len(names)} Pods",
        )

    @property
    def lost(self) -> Seen:
        """How many requests got no answer."""
        return self._seen(
            self.found.lost,
            "requests without an answer",
            "no-answer",
            show=lambda one: f"{one} of {self.found.of} requests lost",
        )

    @property
    def _behind(self) -> list[str]:
        """The Pods behind its ready addresses."""
        several = endpoints.addresses(self.service.slices).values()
        return [one for one in dict.fromkeys(several) if one]

    @property
    def _heard(self) -> int:
        """How many Pods of the Deployment answered."""
        return len(set(self.members.names) & set(self.told))

    def _is_late(self) -> bool:
        """Whether others answer than those behind it, though each of these listens."""
        behind = set(self._behind)
        told = set(self.told)
        silent = behind & set(self.members.names) - told
        if told and not silent and told <= behind and not self.found.unreached:
            return False
        return not replacing.refuse(self.service._lab.cluster, self.service.slices)

    def _fault_before(self) -> str:
        """What makes asking vain."""
        body = self.service.body
        if body is None:
            return "not-found"
        if endpoints.port_of(body, self.port) is None:
            return "wrong-port"
        if not endpoints.addresses(self.service.slices):
            return "no-endpoints"
        return ""

    def _seen(self, value: Any, label: str, reason: str, **more: Any) -> Seen:
        return self.service._seen(value, label, reason, **more)
