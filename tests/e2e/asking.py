"""Questions to the cluster's host ports, by name, as a browser asks them."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
TIMEOUT = 5.0


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `certificate` is the server's leaf in DER, where there was TLS."""

    status: int
    body: str
    certificate: bytes | None = None


@dataclass(frozen=True)
class Ports:
    """The two ports on loopback that lead to Envoy."""

    http: int
    https: int

    def get(self, host: str, path: str = "/") -> Answer:
        """GET over HTTP, with a connection of its own."""
        return _get(socket.create_connection(("127.0.0.1", self.http), TIMEOUT), host, path)

    def get_tls(self, host: str, path: str = "/", sni: str | None = None) -> Answer:
        """GET over HTTPS; the name goes into SNI, and no authority is asked about the answer."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = socket.create_connection(("127.0.0.1", self.https), TIMEOUT)
        return _get(context.wrap_socket(connection, server_hostname=sni or host), host, path)


def ports(kind_cluster: Any) -> Ports:
    """The host ports, out of the course's marker object."""
    read = [
        int(kind_cluster.kubectl("-n", "kubelab-system", "get", "configmap", "kubelab",
                                 "-o", f"jsonpath={{.data.{key}}}"))
        for key in ("httpPort", "httpsPort")
    ]  # fmt: skip
    return Ports(*read)


def until(look: Callable[[], T], wanted: Callable[[T], bool], seconds: float = 30.0) -> T:
    """What was seen when it was as wanted, else what was last seen at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if wanted(seen) or time.monotonic() > deadline:
            return seen
        time.sleep(0.2)


def _get(connection: socket.socket, host: str, path: str) -> Answer:
    with connection:
        # Asked now: the end of the answer closes the connection.
        der = connection.getpeercert(True) if isinstance(connection, ssl.SSLSocket) else None
        client = http.client.HTTPConnection(host, timeout=TIMEOUT)
        client.sock = connection
        client.request("GET", path, headers={"Accept": "application/json", "Connection": "close"})
        answer = client.getresponse()
        body = answer.read().decode(errors="replace")
        return Answer(answer.status, body, der)
