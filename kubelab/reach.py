"""Who answers: all are asked at once, and the limit holds whatever the network does."""

from __future__ import annotations

import base64
import email.utils
import http.client
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
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


@contextmanager
def opened(url: str, timeout: float, method: str = "GET") -> Iterator[http.client.HTTPResponse]:
    """What a server answers, to be read. Raises OSError, also where the answer breaks off."""
    try:
        with urllib.request.urlopen(_request(url, method), timeout=timeout) as answer:
            yield answer
    except http.client.HTTPException as error:
        # By its name alone: its words may hold a part of the URL.
        raise OSError(type(error).__name__) from error


def _request(url: str, method: str) -> urllib.request.Request:
    """A request, with the name and the password of a URL where HTTP has them."""
    parts = urllib.parse.urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return urllib.request.Request(url, method=method)
    request = urllib.request.Request(parts._replace(netloc=host).geturl(), method=method)
    words = urllib.parse.unquote(user if ":" in user else f"{user}:")
    told = base64.b64encode(words.encode()).decode()
    # Not for the server that a redirect leads to.
    request.add_unredirected_header("Authorization", f"Basic {told}")
    return request


def _clock(url: str) -> float | None:
    try:
        with opened(url, SECONDS, "HEAD") as answer:
            date = answer.headers["Date"]
    except urllib.error.HTTPError as error:
        if error.code not in (401, 405):  # Docker Hub asks for a token first.
            return None
        date = error.headers["Date"]
    with suppress(TypeError, ValueError):  # No date, or none that can be read.
        return email.utils.parsedate_to_datetime(date).timestamp()
    return time.time()
