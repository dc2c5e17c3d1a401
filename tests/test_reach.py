"""Who answers: a limit in seconds holds for all that can keep one waiting."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kubelab import reach, tools
from kubelab.engine import Engine
from kubelab.errors import BuildFailed
from kubelab.nodeimage import pull, sources
from kubelab.progress import Progress

DATE = "Wed, 25 Nov 2026 12:00:00 GMT"
CODES = {"/v2/": 401, "/head": 405, "/broken": 500, "/absent": 404}


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Ends what would wait for ever."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def server(over: threading.Event) -> Iterator[str]:
    """A server that answers at once, and letter by letter without an end at /slow.

    To be read it has who asks, at /there what /who tells, and below /half the half of an answer.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            if self.path == "/slow":
                self.wfile.write(b"HTTP/1.0 200 OK\r\nX-Slow: ")
                while not over.wait(0.05):
                    self.wfile.write(b"x")
                return
            self.send_response_only(CODES.get(self.path, 200))
            self.send_header("Date", "today" if self.path == "/today" else DATE)
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response_only(302 if self.path == "/there" else 200)
            who = self.headers.get("Authorization", "nobody").encode()
            if self.path == "/there":
                self.send_header("Location", "/who")
            length = 2 * len(who) if self.path.startswith("/half") else len(who)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(who)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    over.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_what_does_not_answer_in_time_or_fails_is_none(over: threading.Event) -> None:
    def fails() -> str:
        raise OSError("no route")

    began = time.monotonic()
    questions = {"good": lambda: "yes", "bad": fails, "late": lambda: str(over.wait(60))}
    assert reach.in_time(questions, 0.2) == {"good": "yes", "bad": None, "late": None}
    assert time.monotonic() - began < 5


def test_a_server_that_answers_tells_its_clock(server: str) -> None:
    asked = [f"{server}/", f"{server}/v2/", f"{server}/head"]
    assert reach.clocks(asked) == dict.fromkeys(asked, 1795608000.0)
    (told,) = reach.clocks([f"{server}/today"]).values()
    assert told == pytest.approx(time.time(), abs=60)


def test_an_error_of_the_server_is_no_answer(server: str) -> None:
    asked = [f"{server}/broken", f"{server}/absent", "http://127.0.0.1:1/", "bad://"]
    assert reach.clocks(asked) == dict.fromkeys(asked)


def test_a_registry_that_asks_for_a_token_answers(server: str) -> None:
    assert pull.all_answer([f"{server}/v2/", f"{server}/file"])


def test_one_source_that_fails_is_enough_to_build(server: str) -> None:
    assert not pull.all_answer([f"{server}/v2/", f"{server}/broken"])
    assert not pull.all_answer([f"{server}/v2/", "http://127.0.0.1:1/v2/"])


def test_a_server_that_never_comes_to_an_end_does_not_answer(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit of a connection begins anew with every letter; this one is for all of it."""
    monkeypatch.setattr(reach, "SECONDS", 0.5)
    began = time.monotonic()
    assert not pull.all_answer([f"{server}/", f"{server}/slow"])
    assert time.monotonic() - began < 5


def test_a_name_that_nobody_resolves_does_not_answer(
    over: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server behind a firewall that drops packets is waited for by libc, without a limit."""

    def resolve(*_: object, **__: object) -> list[object]:
        over.wait(60)
        raise socket.gaierror("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(reach, "SECONDS", 0.5)
    began = time.monotonic()
    assert not pull.all_answer(["https://registry.invalid/v2/"])
    assert time.monotonic() - began < 5


def read(url: str) -> str:
    """What a server answers."""
    with reach.opened(url, 5) as answer:
        return answer.read().decode()


def test_a_password_in_a_url_is_told_to_its_server_alone(server: str) -> None:
    assert read(f"{server}/who") == "nobody"
    ours = server.replace("//", "//me:s%40cret@")
    assert read(f"{ours}/who") == "Basic bWU6c0BjcmV0"
    assert read(f"{ours}/there") == "nobody"
    assert reach.clocks([f"{ours}/"]) == {f"{ours}/": 1795608000.0}


def test_an_answer_that_breaks_off_is_a_fault_of_the_network(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that what is not to be had from one place is taken from another."""
    with pytest.raises(OSError, match="IncompleteRead"):
        read(f"{server}/half")
    monkeypatch.setattr(tools, "release", lambda *_: (f"{server}/half", ""))
    with pytest.raises(OSError, match="IncompleteRead"):
        tools._download_kind(tmp_path / "kind")
    host = server.removeprefix("http://")
    pinned = sources.load({"KUBELAB_MIRROR": f"raw.githubusercontent.com={host}/half"})
    maker = pull.Pull(Engine("27", ours=True), Progress([]), tmp_path / "log", pinned)
    with pytest.raises(BuildFailed, match=r"^127\.0\.0\.1 does not answer: IncompleteRead$"):
        maker.download("examples/contour/01-crds.yaml")


def test_a_url_that_is_none_is_a_fault_that_tells_nothing_of_it() -> None:
    with pytest.raises(OSError, match=r"^InvalidURL$"):
        read("http://me:a/s3cret@go.example/")
