"""Questions asked from inside the cluster, through the course's prober.

Each question of `count` is a new connection and a new look-up. The prober begins none after 50 s,
so there may be fewer answers than were asked for where nothing answers in time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from kubelab.api import Cluster
from kubelab.errors import Busy
from kubelab.objects import in_header

PROBER = "prober:8080"
TIMEOUT = 2.0
# The API server cuts a proxied request after a minute.
LONGEST = 60.0
ROOM = 5.0

Question = dict[str, Any]
# Puts a question to a prober within so many seconds, and gives back its JSON.
Put = Callable[[Question, float], Any]
A = TypeVar("A")


@dataclass(frozen=True)
class Answer:
    """One answer over HTTP: the status (None where nothing answered), the body, or the error.

    `reason` is one of the prober's words for what went wrong on the way, `refused` or `timeout`;
    `at` is in seconds since the epoch.
    """

    status: int | None = None
    body: str = ""
    error: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None
    at: float = 0.0
    seconds: float = 0.0

    @property
    def healthy(self) -> bool:
        """Whether a kubelet would take the answer for a healthy one."""
        return self.status is not None and 200 <= self.status < 400

    @property
    def json(self) -> dict[str, Any]:
        """The JSON object that the body holds; empty where it holds none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def version(self) -> str | None:
        """The version that the course's web image tells of itself."""
        return self._told("version")

    @property
    def pod(self) -> str | None:
        """The Pod that the course's web image tells of itself."""
        return self._told("pod")

    def _told(self, what: str) -> str | None:
        """What the image tells twice: a route may take headers off, and the body stays."""
        said = self.json.get(what)
        return self.headers.get(f"x-web-{what}") or (
            in_header(said) if isinstance(said, str) else None
        )


@dataclass(frozen=True)
class TcpAnswer:
    """Whether a port accepted a connection, and at which address."""

    ok: bool = False
    peer: str | None = None
    reason: str | None = None
    error: str | None = None
    at: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class Record:
    """One DNS record; the data of an SRV record has `priority`, `weight`, `port`, `target`."""

    name: str
    type: str
    ttl: int
    data: Any


@dataclass(frozen=True)
class DnsAnswer:
    """What the resolver said: `rcode` is NOERROR, NXDOMAIN, ...; None where it said nothing."""

    ok: bool = False
    rcode: str | None = None
    addresses: tuple[str, ...] = ()
    records: tuple[Record, ...] = ()
    reason: str | None = None
    error: str | None = None
    at: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class TlsAnswer:
    """The certificate that a server showed (PEM), its names, and its time in epoch seconds."""

    ok: bool = False
    certificate: str | None = None
    names: tuple[str, ...] = ()
    not_before: float | None = None
    not_after: float | None = None
    protocol: str | None = None
    reason: str | None = None
    error: str | None = None
    at: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class Asker:
    """Who asks: the course's prober, or a Pod of the course with labels of its own."""

    put: Put

    def http(
        self,
        url: str,
        *,
        host: str | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = TIMEOUT,
        count: int = 1,
        concurrency: int = 1,
        every: float = 0.0,
        connect: str | None = None,
        sni: str | None = None,
    ) -> list[Answer]:
        """Ask a URL; `connect` is an address to connect to instead of the URL's host.

        A name of the cluster stands in it whole: `web.lab-03.svc.cluster.local`.
        """
        question: Question = {"kind": "http", "url": url, "host": host, "headers": headers or {}}
        question |= {"connect": connect, "sni": sni}
        answers = self.ask(question, timeout, count, concurrency, every)
        return [read(Answer, one | {"body": str(one.get("body") or "")}) for one in answers]

    def tcp(
        self, address: str, *, timeout: float = TIMEOUT, count: int = 1, concurrency: int = 1
    ) -> list[TcpAnswer]:
        """Connect to `host:port`."""
        question: Question = {"kind": "tcp", "address": address}
        answers = self.ask(question, timeout, count, concurrency)
        return [read(TcpAnswer, one) for one in answers]

    def dns(
        self,
        name: str,
        *,
        type: str = "A",
        resolver: str | None = None,
        timeout: float = TIMEOUT,
        count: int = 1,
        concurrency: int = 1,
    ) -> list[DnsAnswer]:
        """Ask the cluster's resolver for a whole name: `web.lab-03.svc.cluster.local`."""
        question: Question = {"kind": "dns", "name": name, "type": type, "resolver": resolver}
        answers = self.ask(question, timeout, count, concurrency)
        return [read(DnsAnswer, dns_lists(one)) for one in answers]

    def tls(
        self,
        address: str,
        *,
        sni: str | None = None,
        timeout: float = TIMEOUT,
        count: int = 1,
        concurrency: int = 1,
    ) -> list[TlsAnswer]:
        """Ask `host:port` for its certificate under the name `sni`, whatever it is worth."""
        question: Question = {"kind": "tls", "address": address, "sni": sni}
        answers = self.ask(question, timeout, count, concurrency)
        return [read(TlsAnswer, one | {"names": tuple(one.get("names") or ())}) for one in answers]

    def ask(
        self,
        question: Question,
        timeout: float = TIMEOUT,
        count: int = 1,
        concurrency: int = 1,
        every: float = 0.0,
    ) -> list[dict[str, Any]]:
        """Put one question `count` times; raises EnvironmentFault where it can't be asked."""
        asked = {key: value for key, value in question.items() if value is not None}
        asked |= {"timeout": timeout, "count": count, "concurrency": concurrency, "every": every}
        longest = timeout * math.ceil(count / concurrency) + every * count + ROOM
        reply = self.put(asked, min(longest, LONGEST))
        answers = reply.get("answers") if isinstance(reply, dict) else None
        if not answers:
            raise Busy("The course's prober gave no answer.", look="./lab doctor")
        return list(answers)


def prober(cluster: Cluster) -> Asker:
    """The course's prober in `kubelab-system`."""
    return Asker(lambda question, limit: cluster.proxied(PROBER, "ask", question, timeout=limit))


def http(cluster: Cluster, url: str, **more: Any) -> list[Answer]:
    """Let the prober ask a URL; takes what `Asker.http` takes."""
    return prober(cluster).http(url, **more)


def tcp(cluster: Cluster, address: str, **more: Any) -> list[TcpAnswer]:
    """Let the prober connect to `host:port`; takes what `Asker.tcp` takes."""
    return prober(cluster).tcp(address, **more)


def dns(cluster: Cluster, name: str, **more: Any) -> list[DnsAnswer]:
    """Let the prober ask for a whole DNS name; takes what `Asker.dns` takes."""
    return prober(cluster).dns(name, **more)


def tls(cluster: Cluster, address: str, **more: Any) -> list[TlsAnswer]:
    """Let the prober ask for a certificate; takes what `Asker.tls` takes."""
    return prober(cluster).tls(address, **more)


def read(kind: type[A], body: Mapping[str, Any]) -> A:
    """An answer out of the prober's JSON: the fields that its kind has."""
    return kind(
        **{one.name: body[one.name] for one in fields(kind) if one.name in body}  # type: ignore[arg-type]
    )


def dns_lists(body: Mapping[str, Any]) -> dict[str, Any]:
    """A DNS answer's addresses and records as tuples; there are none where nobody answered."""
    records = tuple(Record(**one) for one in body.get("records") or ())
    addresses = tuple(body.get("addresses") or ())
    return {**body, "records": records, "addresses": addresses}


def address(ip: str, port: int, path: str = "/", scheme: str = "http") -> str:
    """The URL of a port at an address; IPv6 gets its brackets."""
    host = f"[{ip}]" if ":" in ip else ip
    return f"{scheme.lower()}://{host}:{port}/{path.lstrip('/')}"
