"""An HTTP question: one request, never a redirect followed."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from .connections import connected
from .questions import address, headers, optional, text
from .service import BadQuestionError, Json

LARGEST = 4096  # bytes of a body
MOST_HEADERS = 40
LONGEST_HEADER = 1024
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
PORTS = {"http": 80, "https": 443}


def prepare(question: Json, timeout: float) -> Callable[[], Json]:
    """Read `url`, `host`, `connect`, `sni`, `method`, `headers` and `content`."""
    url = text(question, "url")
    parts, host, port = split(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    method = text(question, "method", "GET").upper()
    if method not in METHODS:
        raise BadQuestionError(f"`method` is {method!r}, which is none of {', '.join(METHODS)}.")
    connect = optional(question, "connect")
    default = port or PORTS[parts.scheme]
    where = address(connect, default) if connect else (host, default)
    sent = {"user-agent": "kubelab-prober", "accept": "application/json", **headers(question)}
    sent["host"] = optional(question, "host") or parts.netloc.rpartition("@")[2]
    sent["connection"] = "close"
    name = optional(question, "sni") or host if parts.scheme == "https" else None
    content = (optional(question, "content") or "").encode()
    return lambda: _ask(where, method, target, sent, content, name, timeout)


def split(url: str) -> tuple[SplitResult, str, int | None]:
    """A URL's parts, its host and its port; raises BadQuestionError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in PORTS or " " in url:
        raise BadQuestionError(f"`url` is {url!r}, which is no http:// or https:// address.")
    return parts, host, port


def _ask(
    where: tuple[str, int],
    method: str,
    target: str,
    sent: dict[str, str],
    content: bytes,
    name: str | None,
    timeout: float,
) -> Json:
    with connected(where, timeout, name) as connection:
        asking = http.client.HTTPConnection(*where)
        asking.sock = connection
        asking.request(method, target, body=content or None, headers=sent)
        answer = asking.getresponse()
        body = answer.read(LARGEST + 1)
        if answer.length and len(body) <= LARGEST:
            raise http.client.IncompleteRead(body, answer.length)
    kept = [(key.lower(), value[:LONGEST_HEADER]) for key, value in answer.getheaders()]
    return {
        "ok": 200 <= answer.status < 400,
        "status": answer.status,
        "headers": dict(kept[:MOST_HEADERS]),
        "body": body[:LARGEST].decode(errors="replace"),
        "truncated": len(body) > LARGEST,
    }
