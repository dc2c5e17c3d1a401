"""The visits that the page behind a Service counts, as a check reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from kubelab import endpoints, variables, visiting
from kubelab.objects import Object, cleaned, dig, sources
from kubelab.proofs import about
from kubelab.seen import Seen
from kubelab.views.callers import UNSET
from kubelab.views.ingresses import depend_on

if TYPE_CHECKING:
    from kubelab.checking import LabView
    from kubelab.views.members import MembersView
    from kubelab.views.services import ServiceView

SHOWN = 6


class VisitsView:
    """A visitor of the course's own, counted until each Pod of the page has answered."""

    def __init__(self, lab: LabView, service: ServiceView, web: MembersView, port: int) -> None:
        self._lab, self._service, self._web, self._port = lab, service, web, port
        self.found = visiting.Visits()
        if service.body is not None and web.names:
            self.found = visiting.counted(lab.cluster, service.host, port, len(web.names))
        # Who does not count may have a store that still comes, or is still followed.
        if self.found.error or not self.found.in_a_row:
            for host in self.found.hosts:
                depend_on(lab, host.partition(".")[0])
            lab.unfollowed |= UNSET not in self.found.error

    @property
    def answered(self) -> Seen:
        """Whether each visit got a count."""
        error = self.found.error
        return self._web._seen(
            bool(self.found.counts) and not error,
            "counted",
            "backend-not-found",
            show=lambda one: "/visits counts" if one else f"/visits: {error or 'no answer'}",
        )

    @property
    def in_a_row(self) -> Seen:
        """Whether one visitor is counted 1, 2, 3, whichever Pod answers."""
        counts = ", ".join(map(str, around(self.found.counts)))
        return self._web._seen(
            self.found.in_a_row,
            "in a row",
            "wrong-count",
            show=lambda one: f"one visitor counts {'1, 2, 3 across the Pods' if one else counts}",
        )

    @property
    def by_name(self) -> Seen:
        """Whether the page calls its store by a name that follows it."""
        fixed = self.found.fixed or self._pinned
        return self._web._seen(
            bool(self.found.stores) and not fixed,
            "by name",
            "fixed-address",
            given=bool(fixed),
            show=lambda one: "counts in a store it calls by name" if one else f"counts in {fixed}",
            found=f"counts in {', '.join(fixed)}" if fixed else None,
        )

    @property
    def _pinned(self) -> tuple[str, ...]:
        """The stores whose name somebody bound to an address: in the Pods, or behind a Service."""
        hosts = {
            str(name).lower()
            for body in self._web.bodies
            for one in dig(body, "spec", "hostAliases") or ()
            for name in one.get("hostnames") or ()
        }

        def pinned(host: str) -> bool:
            by_hand = visiting.is_own(host) and self._written
            return host in hosts or self._bound(host) or by_hand

        return tuple(one for one in self.found.stores if pinned(visiting.host_of(one).lower()))

    def _bound(self, host: str, before: frozenset[str] = frozenset()) -> bool:
        """Whether a name leads to an address that somebody wrote down, on whichever way."""
        # The name of a Pod has that of its Service behind it.
        for name in host.split(".")[:2]:
            service = self._lab.snapshot.get("Service", name)
            if service is None or name in before:
                continue
            if dig(service, "spec", "type") != "ExternalName":
                # Of an ExternalName a selector says nothing.
                if endpoints.selector_of(service):
                    continue
                return True
            other = str(dig(service, "spec", "externalName")).lower()
            if visiting.is_address(other) or self._bound(other, before | {name}):
                return True
        return False

    @property
    def _written(self) -> bool:
        """Whether the address of a Service stands in the Pods: who asks in their place has it."""
        snapshot = self._lab.snapshot
        wanted = set[str]()
        for name, service in snapshot.kind("Service").items():
            address = str(dig(service, "spec", "clusterIP") or "")
            wanted |= {f"{name.upper().replace('-', '_')}_SERVICE_HOST"}
            wanted |= {address, address.replace(".", "-")} - {"", "None"}
        several = [dig(one, "spec") for one in self._web.bodies]
        texts = [*strings(several)]
        for kind, name in set(sources(several)):
            texts += variables.contents(kind, snapshot.get(kind, name)).values()
        whole = re.compile(rf"(?<![\w.-])({'|'.join(map(re.escape, wanted))})(?!\w|[.-]\d)")
        return bool(wanted) and any(map(whole.search, texts))

    def outlive(self, store: MembersView) -> Seen:
        """Whether the page misses its store while it is replaced, and finds it again."""
        lab = self._lab
        trial = visiting.Trial(self._service.host, self._port, store.name)
        return self._web._proved(
            self._tried(store),
            lambda key: visiting.outlives(lab.cluster, lab.namespace, trial, key),
            "found again",
            visiting.WANTED,
        )

    def _tried(self, store: MembersView) -> Object | None:
        """What the proof is about: the page, its Service, and the store with the same name."""
        service = self._lab.snapshot.get("Service", store.name)
        several = [self._web.body, self._service.body, store.body, service]
        if any(one is None for one in several[:3]):
            return None
        there = [one for one in several if one is not None]
        return about(there, [cleaned(one).get("spec") for one in there])


def strings(body: Any) -> Iterator[str]:
    """All texts in an object."""
    if isinstance(body, dict):
        body = list(body.values())
    if isinstance(body, list):
        for one in body:
            yield from strings(one)
    elif isinstance(body, str):
        yield body


def around(counts: Sequence[int]) -> Sequence[int]:
    """The counts where they first leave the row."""
    odd = next((at for at, one in enumerate(counts) if one != at + 1), 0)
    first = max(0, odd - SHOWN // 2)
    return counts[first : first + SHOWN]
