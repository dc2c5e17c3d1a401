"""New connections inside the cluster, bounded in time, and what can go wrong on them."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import Any


class OutsideError(Exception):
    """The address is not in the cluster."""


class UnconnectedError(TimeoutError):
    """Not even a connection came in time: packets are lost, and no slow server is at fault."""


class NoAddressError(OSError):
    """The resolver has answered: there is no such name, or no address behind it."""


FAILURES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, str], ...] = (
    (socket.gaierror, "name", "the name can't be resolved"),
    (NoAddressError, "no-address", "the name has no address"),
    (OutsideError, "outside", ""),
    (ConnectionRefusedError, "refused", "the connection is refused"),
    (ConnectionError, "reset", "the connection was closed before an answer"),
    (http.client.IncompleteRead, "reset", "the connection was closed within the answer"),
)


def look_up(host: str, port: int) -> tuple[str, int]:
    """The first address of a host; raises OSError, and OutsideError outside the cluster.

    The course's traffic stays in the cluster or on loopback, whatever a question says.
    """
    found: tuple[Any, ...] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4]
    return inside(str(found[0]).partition("%")[0]), port


def inside(address: str) -> str:
    """The address; raises OutsideError where it is none in the cluster."""
    ip = ipaddress.ip_address(address)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.is_global or ip.is_link_local or ip.is_multicast:
        raise OutsideError(f"{ip} is no address in the cluster")
    return str(ip)


@contextmanager
def connected(
    where: tuple[str, int], timeout: float, name: str | None = None
) -> Iterator[socket.socket]:
    """A new connection, with TLS where there is a server name; all of it within `timeout` seconds.

    Raises TimeoutError also where an answer comes, but drop by drop.
    """
    began = time.monotonic()
    plain = socket.create_connection(look_up(*where), timeout=timeout)
    left = max(0.001, timeout - (time.monotonic() - began))
    plain.settimeout(left)
    # TLS takes the socket over, so the watch on the whole time has a handle of its own.
    handle = plain.dup()
    cut = Timer(left, _shut, [handle])
    cut.daemon = True
    cut.start()
    connection = plain
    try:
        if name is not None:
            connection = unverified().wrap_socket(plain, server_hostname=name)
        yield connection
        if time.monotonic() - began >= timeout:
            raise TimeoutError
    except (OSError, http.client.HTTPException):
        if time.monotonic() - began >= timeout:
            raise TimeoutError from None
        raise
    finally:
        cut.cancel()
        for opened in (connection, plain, handle):
            opened.close()


def unverified() -> ssl.SSLContext:
    """TLS that takes any certificate: which one it is, is what the `tls` question asks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def failure(error: Exception, timeout: float) -> tuple[str, str]:
    """A reason id and the sentence of what went wrong on the way."""
    if isinstance(error, UnconnectedError):
        return "no-connection", f"no connection within {timeout:g} s"
    if isinstance(error, TimeoutError):
        return "timeout", f"no answer within {timeout:g} s"
    for kinds, reason, sentence in FAILURES:
        if isinstance(error, kinds):
            return reason, sentence or str(error)
    if isinstance(error, ssl.SSLError):
        return "tls", f"the TLS handshake fails: {error.reason or 'the connection was closed'}"
    if isinstance(error, OSError) and error.strerror:
        return "unreachable", error.strerror.lower()
    return "protocol", f"the answer makes no sense: {str(error) or type(error).__name__}"
