"""Who answers: all are asked at once, and the limit holds whatever the network does."""

from __future__ import annotations

import email.utils
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import TypeVar

T = TypeVar("T")
SECONDS = 5.0


def in_time(questions: Mapping[str, Callable[[], T]], seconds: float) -> dict[str, T | None]:
    """Ask everything at once; what has no answer after `seconds`, or fails, is None."""
    answers: dict[str, T | None] = dict.fromkeys(questions)

    def ask(name: str, question: Callable[[], T]) -> None:
        with suppress(Exception):
            answers[name] = question()

    # Daemons: a name server that never answers must not keep the command from ending.
    threads = [threading.Thread(target=ask, args=one, daemon=True) for one in questions.items()]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(answers)


def clocks(urls: Iterable[str]) -> dict[str, float | None]:
    """Each server's clock (seconds since the epoch) if it answers within five seconds, else None.

    Five seconds in all: urllib's own limit holds for each address of a host, and not for its name.
    """
    return in_time({url: partial(_clock, url) for url in urls}, SECONDS)


def _clock(url: str) -> float | None:
    request = urllib.request.Request(url, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            headers = answer.headers
    except urllib.error.HTTPError as error:
        if error.code not in (401, 405):  # Docker Hub asks for a token first.
            return None
        headers = error.headers
    with suppress(TypeError, ValueError):  # No date, or none that can be read.
        return email.utils.parsedate_to_datetime(headers["Date"]).timestamp()
    return time.time()
