"""The prober: asks what a check wants to know, from inside the cluster."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from . import ask_dns, ask_http, ask_tcp, ask_tls
from .connections import failure
from .questions import MOST, TIMEOUT, WIDEST, number, text
from .service import BadQuestionError, Json, Service

# Reads a question, and gives back what asks it once: each call is a new connection.
Prepare = Callable[[Json, float], Callable[[], Json]]

KINDS: dict[str, Prepare] = {
    "http": ask_http.prepare,
    "tcp": ask_tcp.prepare,
    "dns": ask_dns.prepare,
    "tls": ask_tls.prepare,
}
# The API server gives a proxied request a minute; what is not asked until then is left out.
LONGEST = 50.0


def service(port: int) -> Service:
    """The prober's server."""
    return Service(port, {"/healthz": healthz, "/ask": ask})


def healthz(_: Json) -> tuple[int, Json]:
    """The prober is well when it answers."""
    return 200, {"ok": True, "role": "prober"}


def ask(question: Json) -> tuple[int, Json]:
    """Ask `count` times, at most `concurrency` at once, one every `every` seconds."""
    kind = text(question, "kind")
    if kind not in KINDS:
        raise BadQuestionError(f"`kind` is {kind!r}, which is none of {', '.join(KINDS)}.")
    timeout = number(question, "timeout", TIMEOUT, 0.01, 30)
    count = int(number(question, "count", 1, 1, MOST))
    width = int(number(question, "concurrency", 1, 1, WIDEST))
    every = number(question, "every", 0, 0, 10)
    once = KINDS[kind](question, timeout)
    began = time.monotonic()

    def turn(index: int) -> Json | None:
        due = max(began + index * every, time.monotonic())
        if index > 0 and due + timeout > began + LONGEST:
            return None
        time.sleep(max(0.0, due - time.monotonic()))
        return told(once, timeout)

    if width == 1:
        answers = [turn(index) for index in range(count)]
    else:
        with ThreadPoolExecutor(min(width, count)) as pool:
            answers = list(pool.map(turn, range(count)))
    return 200, {"answers": [answer for answer in answers if answer is not None]}


def told(once: Callable[[], Json], timeout: float) -> Json:
    """One answer: when, how long, and what came back or what went wrong."""
    answer: Json = {
        "at": time.time(), "seconds": 0.0, "ok": False, "status": None,
        "headers": {}, "body": None, "reason": None, "error": None,
    }  # fmt: skip
    began = time.monotonic()
    try:
        answer |= once()
    except Exception as error:  # A learner's server may answer anything at all.
        answer["reason"], answer["error"] = failure(error, timeout)
    answer["seconds"] = round(time.monotonic() - began, 6)
    return answer
