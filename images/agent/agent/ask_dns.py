"""A DNS question, sent to the cluster's resolver itself: no search list and no cache in between.

Source: RFC 1035, sections 4.1 and 4.2; RFC 2782 for SRV.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

from .connections import look_up
from .questions import address, optional, text
from .service import BadQuestionError, Json

TYPES = {"A": 1, "AAAA": 28, "SRV": 33}
NAMES = {number: name for name, number in TYPES.items()} | {5: "CNAME"}
CODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
TRUNCATED = 0x0200
RESOLV_CONF = Path("/etc/resolv.conf")


def prepare(question: Json, timeout: float) -> Callable[[], Json]:
    """Read `name` (whole, as it is asked), `type` and `resolver` (`host` or `host:port`)."""
    name, kind = text(question, "name"), text(question, "type", "A").upper()
    if kind not in TYPES:
        raise BadQuestionError(f"`type` is {kind!r}, which is none of {', '.join(TYPES)}.")
    wire = question_name(name)
    chosen = optional(question, "resolver")
    where = address(chosen, 53) if chosen else (resolver(), 53)
    return lambda: _ask(where, wire + struct.pack("!HH", TYPES[kind], 1), timeout)


def resolver() -> str:
    """The first name server of this Pod."""
    for line in RESOLV_CONF.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            return words[1]
    raise BadQuestionError(f"{RESOLV_CONF} names no resolver.")


def question_name(name: str) -> bytes:
    """A name in the form of the wire; raises BadQuestionError."""
    labels = name.rstrip(".").encode("ascii", "replace").split(b".")
    if not all(0 < len(label) < 64 for label in labels) or len(name) > 253:
        raise BadQuestionError(f"`name` is {name!r}, which is no DNS name.")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _ask(where: tuple[str, int], question: bytes, timeout: float) -> Json:
    deadline = time.monotonic() + timeout
    number = secrets.randbelow(1 << 16)
    # Recursion desired, one question.
    packet = struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + question
    target = look_up(*where)
    reply = by_udp(target, packet, deadline)
    if struct.unpack_from("!H", reply, 2)[0] & TRUNCATED:
        reply = by_tcp(target, packet, deadline)
    return read(reply)


def by_udp(target: tuple[str, int], packet: bytes, deadline: float) -> bytes:
    """Ask in one packet; an answer to another question is not listened to."""
    family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as connection:
        connection.connect(target)
        connection.send(packet)
        while True:
            connection.settimeout(left(deadline))
            reply = connection.recv(4096)
            if len(reply) >= 12 and reply[:2] == packet[:2]:
                return reply


def by_tcp(target: tuple[str, int], packet: bytes, deadline: float) -> bytes:
    """Ask again where the answer did not fit into a packet."""
    with socket.create_connection(target, timeout=left(deadline)) as connection:
        connection.sendall(struct.pack("!H", len(packet)) + packet)
        reply = b""
        while len(reply) < 2 or len(reply) < 2 + struct.unpack("!H", reply[:2])[0]:
            connection.settimeout(left(deadline))
            part = connection.recv(65536)
            if not part:
                raise ConnectionResetError
            reply += part
        return reply[2:]


def left(deadline: float) -> float:
    """Seconds until the deadline; raises TimeoutError where there are none."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def read(reply: bytes) -> Json:
    """What a resolver says; raises ValueError where it is no answer."""
    try:
        _, flags, questions, count, _, _ = struct.unpack_from("!HHHHHH", reply)
        at = 12
        for _ in range(questions):
            at = read_name(reply, at)[1] + 4
        records = []
        for _ in range(count):
            record, at = read_record(reply, at)
            records.append(record)
    except (IndexError, struct.error) as error:
        raise ValueError(f"a broken packet, {error}") from None
    addresses = [record["data"] for record in records if record["type"] in ("A", "AAAA")]
    code = CODES.get(flags & 15, str(flags & 15))
    return {
        "ok": code == "NOERROR" and any(record["type"] != "CNAME" for record in records),
        "rcode": code,
        "records": records,
        "addresses": addresses,
    }


def read_record(reply: bytes, at: int) -> tuple[Json, int]:
    """A record, and where the next one begins."""
    name, at = read_name(reply, at)
    kind, _, ttl, length = struct.unpack_from("!HHIH", reply, at)
    start, end = at + 10, at + 10 + length
    content = reply[start:end]
    if len(content) < length:
        raise IndexError("a record is longer than its packet")
    data: str | Json = content.hex()
    if kind in (1, 28):
        data = str(ipaddress.ip_address(content))
    elif kind == 5:
        data = read_name(reply, start)[0]
    elif kind == 33:
        priority, weight, port = struct.unpack_from("!HHH", content)
        target = read_name(reply, start + 6)[0]
        data = {"priority": priority, "weight": weight, "port": port, "target": target}
    return {"name": name, "type": NAMES.get(kind, str(kind)), "ttl": ttl, "data": data}, end


def read_name(reply: bytes, at: int) -> tuple[str, int]:
    """A name, and where what follows it begins; a pointer leads to an earlier place."""
    labels: list[str] = []
    after = None
    while size := reply[at]:
        if size & 0xC0:
            after = after or at + 2
            back = struct.unpack_from("!H", reply, at)[0] & 0x3FFF
            if back >= at:
                raise IndexError("a name points forward")
            at = back
            continue
        labels.append(reply[at + 1 : at + 1 + size].decode("ascii", "replace"))
        at += 1 + size
    return ".".join(labels), after or at + 1
