"""Names and dates of an X.509 certificate, which the ssl module tells of verified ones only.

Source: RFC 5280, sections 4.1 and 4.2.1.6; a value is a tag, a length and the content (X.690, DER).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

SUBJECT_ALT_NAME = bytes([0x55, 0x1D, 0x11])  # 2.5.29.17
UTC_TIME, EXTENSIONS = 0x17, 0xA3
DNS_NAME, IP_ADDRESS = 0x82, 0x87
VERSION = 0xA0


@dataclass(frozen=True)
class Facts:
    """Subject alternative names, and the dates in seconds since the epoch."""

    names: tuple[str, ...]
    not_before: float
    not_after: float


def read(der: bytes) -> Facts:
    """The facts of a certificate; raises ValueError where it is none."""
    try:
        (_, whole), *_ = values(der)
        (_, signed), *_ = values(whole)
        fields = [field for field in values(signed) if field[0] != VERSION]
        # Serial number, algorithm, issuer, validity, subject, key; then what is optional.
        dates = [date(tag, content) for tag, content in values(fields[3][1])]
        extensions = [content for tag, content in fields[6:] if tag == EXTENSIONS]
        names = [name for content in extensions for name in alternative_names(content)]
        return Facts(tuple(names), dates[0], dates[1])
    except (IndexError, ValueError) as error:
        raise ValueError(f"no certificate: {error}") from None


def values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each value of a sequence: its tag and its content."""
    at = 0
    while at < len(data):
        tag, length, start = data[at], data[at + 1], at + 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[at + 2 : start], "big")
        at = start + length
        if at > len(data):
            raise ValueError("a value is longer than what holds it")
        yield tag, data[start:at]


def date(tag: int, content: bytes) -> float:
    """A moment; a year of two digits is 1950 to 2049."""
    words = content.decode("ascii")
    if tag == UTC_TIME:
        words = ("19" if words[:2] >= "50" else "20") + words
    return datetime.strptime(words, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def alternative_names(extensions: bytes) -> Iterator[str]:
    """The DNS names and addresses that the certificate is for."""
    (_, listed), *_ = values(extensions)
    for _, extension in values(listed):
        parts = [content for _, content in values(extension)]
        if parts[0] != SUBJECT_ALT_NAME:
            continue
        (_, names), *_ = values(parts[-1])
        for tag, name in values(names):
            if tag == DNS_NAME:
                yield name.decode("ascii")
            elif tag == IP_ADDRESS:
                yield str(ipaddress.ip_address(name))
