"""A TLS question: which certificate does a server show for a name?"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import cast

from . import certificate
from .connections import connected
from .questions import address, text
from .service import Json


def prepare(question: Json, timeout: float) -> Callable[[], Json]:
    """Read `address`, `host:port`, and `sni`, the name asked for (the host where absent)."""
    where = address(text(question, "address"), 443)
    name = text(question, "sni", where[0])
    return lambda: _ask(where, name, timeout)


def _ask(where: tuple[str, int], name: str, timeout: float) -> Json:
    with connected(where, timeout, name) as connection:
        secured = cast(ssl.SSLSocket, connection)
        leaf = secured.getpeercert(binary_form=True) or b""
        protocol = secured.version()
    facts = certificate.read(leaf)
    return {
        "ok": True,
        "protocol": protocol,
        "certificate": ssl.DER_cert_to_PEM_cert(leaf),
        "names": list(facts.names),
        "not_before": facts.not_before,
        "not_after": facts.not_after,
    }
