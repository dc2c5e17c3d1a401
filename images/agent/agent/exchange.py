"""One request, or one look-up, that never blocks: it says what it waits for, and goes on then.

Each of the generators yields a socket, what it waits for on it and for how long at most, and is
thrown TimeoutError where that did not come. So one thread has as many under way as it likes.
"""

from __future__ import annotations

import errno
import http.client
import os
import secrets
import selectors
import socket
import struct
import time
from collections.abc import Generator
from typing import NamedTuple

from . import ask_dns
from .connections import UnconnectedError, inside

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
LARGEST = 1 << 20  # bytes of an answer; the rest is not waited for
RESEND = 0.7  # seconds after which a look-up is sent again
TRIES = 2

Waiting = Generator[tuple[socket.socket, int, float], None, "Reply"]
LookingUp = Generator[tuple[socket.socket, int, float], None, "Found"]


class Reply(NamedTuple):
    """What a server answered."""

    status: int
    version: str | None
    pod: str | None


class Found(NamedTuple):
    """What the resolver said: addresses, none where there is no such name, and for how long."""

    addresses: tuple[str, ...]
    ttl: float


def get(address: str, port: int, host: str, timeout: float) -> Waiting:
    """`GET /` on a new connection; raises OSError, HTTPException, OutsideError."""
    deadline = time.monotonic() + timeout
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.setblocking(False)
        code = connection.connect_ex((inside(address), port))
        if code == errno.EINPROGRESS:
            try:
                yield connection, WRITE, deadline
            except TimeoutError:
                raise UnconnectedError from None
            code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        connection.send(request(host))
        answer = b""
        while True:
            yield connection, READ, deadline
            part = connection.recv(65536)
            answer += part
            reply = read(answer, not part)
            if reply is not None:
                return reply


def request(host: str) -> bytes:
    """The bytes of the request."""
    lines = ("GET / HTTP/1.1", f"Host: {host}", "User-Agent: kubelab-recorder",
             "Accept: application/json", "Connection: close")  # fmt: skip
    return "\r\n".join((*lines, "", "")).encode("ascii")


def read(answer: bytes, closed: bool) -> Reply | None:
    """The reply as soon as it is whole; raises where it can't become whole any more."""
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        if closed and not answer:
            raise ConnectionResetError
        if closed or len(answer) > LARGEST:
            raise http.client.BadStatusLine(answer[:20].decode("latin-1"))
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdecimal():
        raise http.client.BadStatusLine(first[:20])
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    length = headers.get("content-length", "")
    if length.isdecimal():
        whole = len(body) >= min(int(length), LARGEST)
    else:
        whole = closed or len(body) >= LARGEST
    if not whole:
        if closed:
            raise http.client.IncompleteRead(body[:1], int(length) - len(body))
        return None
    tell = {key: headers.get(f"x-web-{key}", "")[:100] or None for key in ("version", "pod")}
    return Reply(int(words[1]), **tell)


def look_up(name: str, resolver: str) -> LookingUp:
    """Ask the cluster's resolver for a whole name; raises TimeoutError, OSError, ValueError."""
    number = secrets.randbelow(1 << 16)
    question = ask_dns.question_name(name) + struct.pack("!HH", ask_dns.TYPES["A"], 1)
    packet = struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + question
    family = socket.AF_INET6 if ":" in resolver else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as connection:
        connection.setblocking(False)
        host, _, port = resolver.rpartition("#")
        connection.connect((host or resolver, int(port) if host else 53))
        for left in reversed(range(TRIES)):
            connection.send(packet)
            try:
                yield connection, READ, time.monotonic() + RESEND
            except TimeoutError:
                if not left:
                    raise
                continue
            reply = connection.recv(4096)
            if reply[:2] == packet[:2]:
                said = ask_dns.read(reply)
                if said["rcode"] not in ("NOERROR", "NXDOMAIN"):
                    raise ValueError(said["rcode"])
                ttls = [one["ttl"] for one in said["records"]]
                return Found(tuple(said["addresses"]), float(min(ttls, default=0)))
        raise TimeoutError
