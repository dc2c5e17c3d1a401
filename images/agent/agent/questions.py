"""What can be asked: fields are read strictly, so that a slip is told and not guessed at."""

from __future__ import annotations

from collections.abc import Mapping

from .service import BadQuestionError, Json

MOST = 1000  # times that one question is asked
WIDEST = 50  # questions on the way at once
TIMEOUT = 2.0


def text(question: Json, name: str, default: str | None = None) -> str:
    """A field with words; raises BadQuestionError where it is missing and has no default."""
    value = question.get(name)
    if value is None:
        value = default
    if not isinstance(value, str) or not value.isprintable():
        raise BadQuestionError(f"`{name}` is {value!r}, which is no text on one line.")
    return value


def optional(question: Json, name: str) -> str | None:
    """A field with words that may be missing."""
    return None if question.get(name) is None else text(question, name)


def number(question: Json, name: str, default: float, low: float, high: float) -> float:
    """A field with a number in bounds; a query brings it as words."""
    value = question.get(name)
    value = default if value is None else value
    try:
        found = float(value) if isinstance(value, int | float | str) else float("nan")
    except ValueError:
        found = float("nan")
    if isinstance(value, bool) or not low <= found <= high:
        raise BadQuestionError(f"`{name}` is {value!r}, which is not from {low:g} to {high:g}.")
    return found


def headers(question: Json) -> dict[str, str]:
    """Extra request headers, with names in lower case."""
    value = question.get("headers") or {}
    if not isinstance(value, Mapping):
        raise BadQuestionError("`headers` is no JSON object.")
    return {text({"name": key}, "name").lower(): text({"value": held}, "value")
            for key, held in value.items()}  # fmt: skip


def address(value: str, default_port: int | None = None) -> tuple[str, int]:
    """`host:port`, with brackets around an IPv6 address; raises BadQuestionError."""
    host, colon, port = value.rpartition(":")
    if default_port is not None and (not colon or value.endswith("]")):
        host, port = value, str(default_port)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        raise BadQuestionError(f"{value!r} is no host:port.")
    return host, int(port)
