"""A TCP question: does the port accept a connection?"""

from __future__ import annotations

from collections.abc import Callable

from .connections import connected
from .questions import address, text
from .service import Json


def prepare(question: Json, timeout: float) -> Callable[[], Json]:
    """Read `address`, `host:port`."""
    where = address(text(question, "address"))
    return lambda: _ask(where, timeout)


def _ask(where: tuple[str, int], timeout: float) -> Json:
    with connected(where, timeout) as connection:
        host, port = connection.getpeername()[:2]
    return {"ok": True, "peer": f"[{host}]:{port}" if ":" in host else f"{host}:{port}"}
