"""The load of the recorder of images/agent: what it asks, and what it keeps of the answers."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from image_program import IMAGES, free_port, peer, says, silence

sys.path.insert(0, str(IMAGES / "agent"))
from agent import exchange, lines, load
from agent.connections import OutsideError, UnconnectedError, failure
from agent.lines import Lines

OK = (
    b"HTTP/1.1 200 OK\r\nX-Web-Version: 2.0\r\nX-Web-Pod: web-1\r\nContent-Length: 2\r\n"
    b"Connection: close\r\n\r\nhi"
)
Line = list[Any]


class Resolver:
    """A resolver on loopback that gives every name one address, or says that there is none."""

    def __init__(self) -> None:
        self.address: str | None = "127.0.0.1"
        self.silent = False
        self.names: list[bytes] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.where = f"127.0.0.1#{self.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            packet, who = self.socket.recvfrom(4096)
            if not packet:
                return
            self.names.append(packet[12:-4])
            if self.silent:
                continue
            found = self.address is not None
            head = packet[:2] + struct.pack("!HHHHH", 0x8180 | (0 if found else 3), 1, found, 0, 0)
            record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 30, 4)
            answer = record + socket.inet_aton(self.address) if self.address else b""
            self.socket.sendto(head + packet[12:] + answer, who)

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.socket.getsockname())
        self._thread.join()
        self.socket.close()


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    with closing(Resolver()) as found:
        yield found


class Asking:
    """A load that a test turns, and the lines that came of it."""

    def __init__(self, resolver: Resolver) -> None:
        self.services: list[tuple[str, str, dict[str, Any]]] = []
        self.lines: list[tuple[str, str, Line]] = []
        self.load = load.Load(lambda: self.services, self.add, resolver.where)

    def add(self, namespace: str, service: str, line: list[object]) -> None:
        self.lines.append((namespace, service, line))

    def service(self, name: str, port: int) -> None:
        self.services.append(("lab-90", name, {"port": port, "address": (name, port)}))

    def until(self, done: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 15
        while not done():
            assert time.monotonic() < deadline, self.lines[-3:]
            self.load.turn()


@pytest.fixture
def asking(resolver: Resolver) -> Iterator[Asking]:
    found = Asking(resolver)
    with closing(found.load):
        yield found


# Asking


def test_a_request_is_a_line_with_status_version_and_pod(asking, resolver):
    """Each on a new connection, by the Service's whole name."""
    heads: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        heads.append(connection.recv(4096))
        connection.sendall(OK)

    with peer(talk) as server:
        asking.service("web", server.port)
        asking.until(lambda: len(asking.lines) >= 3)
        assert server.connections >= 3
    namespace, service, line = asking.lines[0]
    assert (namespace, service) == ("lab-90", "web")
    at, until, count, seconds, *rest = line
    assert abs(at - time.time()) < 60
    assert (at, count) == (until, 1)
    assert 0 <= seconds < 5
    assert rest == [200, "2.0", "web-1", None, None]
    assert heads[0].startswith(b"GET / HTTP/1.1\r\nHost: web.lab-90.svc.cluster.local\r\n")
    assert resolver.names[0] == b"\3web\6lab-90\3svc\7cluster\5local\0"


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (b"HTTP/1.1 503 Not now\r\nContent-Length: 0\r\n\r\n", 503, None),
        (b"HTTP/1.0 200 OK\r\n\r\nas long as it is open", 200, None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", None, "reset"),
        (b"", None, "reset"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", None, "protocol"),
        (b"half a head", None, "protocol"),
    ],
)
def test_what_is_wrong_is_told(asking, answer, status, reason):
    """A status, or the reason in the prober's words."""
    with peer(says(answer)) as server:
        asking.service("web", server.port)
        asking.until(lambda: asking.lines)
    line = asking.lines[0][2]
    assert (line[lines.STATUS], line[lines.REASON]) == (status, reason)
    assert bool(line[lines.ERROR]) is (reason is not None)


def test_nobody_listening_is_refused(asking):
    """As a client sees a Service without endpoints."""
    asking.service("web", free_port())
    asking.until(lambda: asking.lines)
    assert asking.lines[0][2][lines.REASON] == "refused"


def test_a_slow_service_is_asked_as_often_and_holds_no_other_up(asking, monkeypatch):
    """Its requests are under way together; each of them is a failure in the end."""
    monkeypatch.setattr(load, "TIMEOUT", 1.0)
    with peer(silence) as silent, peer(says(OK)) as server:
        asking.service("slow", silent.port)
        asking.service("web", server.port)
        asking.until(lambda: sum(name == "slow" for _, name, _ in asking.lines) >= 2)
        assert silent.connections > 2
    slow = [line for _, name, line in asking.lines if name == "slow"]
    assert {line[lines.REASON] for line in slow} == {"timeout"}
    assert sum(name == "web" for _, name, _ in asking.lines) > 2


def test_no_connection_is_told_from_a_slow_answer():
    """A slow server has accepted the connection; a Pod that is gone has not."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        with ExitStack() as stack:
            # Nobody accepts, so the next one's packets are dropped.
            for _ in range(4):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(("127.0.0.1", port))
            steps = exchange.get("127.0.0.1", port, "web", 5.0)
            next(steps)
            with pytest.raises(UnconnectedError) as caught:
                steps.throw(TimeoutError())
    told = failure(caught.value, 5.0)
    assert told == ("no-connection", "no connection within 5 s")


def test_without_a_service_nothing_is_asked(asking, resolver):
    """And one that goes is asked no more."""
    asking.load.turn()
    assert (resolver.names, asking.load.services) == ([], 0)
    with peer(says(OK)) as server:
        asking.service("web", server.port)
        asking.until(lambda: asking.lines)
        asking.services.clear()
        asking.until(lambda: asking.load.services == 0)


def test_a_name_that_is_not_there_is_told_from_a_service_that_does_not_answer(asking, resolver):
    """`no-address` is what the cluster's DNS says; `name` is that it says nothing."""
    resolver.address = None
    asking.service("web", free_port())
    asking.until(lambda: asking.lines)
    assert asking.lines[0][2][lines.REASON] == "no-address"


def test_a_silent_resolver_loses_no_request(asking, resolver, monkeypatch):
    """What it said before counts for its time."""
    monkeypatch.setattr(load, "LOOK_UP", 0.0)
    monkeypatch.setattr(exchange, "RESEND", 0.05)
    with peer(says(OK)) as server:
        asking.service("web", server.port)
        asking.until(lambda: asking.lines)
        resolver.silent = True
        asked, told = len(resolver.names), len(asking.lines)
        asking.until(lambda: len(resolver.names) > asked + 2 and len(asking.lines) > told + 2)
    assert all(line[lines.REASON] is None for _, _, line in asking.lines)


def test_an_address_outside_the_cluster_is_not_asked(asking, resolver):
    """Whatever a headless Service's slices say."""
    resolver.address = "8.8.8.8"
    asking.service("web", 80)
    asking.until(lambda: asking.lines)
    assert asking.lines[0][2][lines.REASON] == "outside"
    with pytest.raises(OutsideError):
        next(exchange.get("169.254.169.254", 80, "web", 1.0))


def test_a_service_that_nobody_answers_for_is_asked_less_often_until_one_does(asking, monkeypatch):
    """A lab that is not begun yet costs little; every failure is a line all the same."""
    monkeypatch.setattr(load, "DOWN", 3)
    monkeypatch.setattr(load, "RARELY", 1000.0)
    monkeypatch.setattr(load, "EVERY", 0.01)
    asking.service("web", free_port())
    asking.until(lambda: len(asking.lines) >= 3)
    (target,) = asking.load._targets.values()
    asking.until(lambda: target.due > time.monotonic() + 900)
    assert all(line[lines.REASON] == "refused" for _, _, line in asking.lines)
    with peer(says(OK)) as server:
        target.port, target.due = server.port, 0.0
        asking.until(lambda: asking.lines[-1][2][lines.STATUS] == 200)
    assert target.failures == 0


def test_the_number_of_services_is_bounded(asking, monkeypatch):
    """Health names those that are left out; many are asked less often."""
    monkeypatch.setattr(load, "MOST", 2)
    monkeypatch.setattr(load, "FASTEST", 10.0)
    for name in ("a", "b", "c"):
        asking.service(name, 9)
    asking.load.refresh(0.0)
    assert (asking.load.services, asking.load.asked) == (2, 3)
    assert asking.load.left_out == ["lab-90/c"]
    assert asking.load.every == 0.2


def test_a_whole_answer_is_not_waited_for_longer(monkeypatch):
    """A length says where it ends; without one it is the end of the connection."""
    assert exchange.read(OK[:-1], False) is None
    assert exchange.read(OK, False) == exchange.Reply(200, "2.0", "web-1")
    assert exchange.read(b"HTTP/1.1 200 OK\r\n\r\nhi", False) is None
    assert exchange.read(b"HTTP/1.1 200 OK\r\n\r\nhi", True) == exchange.Reply(200, None, None)
    monkeypatch.setattr(exchange, "LARGEST", 10)
    assert exchange.read(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 10, False) is not None
    with pytest.raises(http.client.BadStatusLine):
        exchange.read(b"x" * 11, False)


# Keeping


def line(at: float, status: int | None = 200, version: str = "1.0", **more: Any) -> Line:
    reason = None if status else more.get("reason", "refused")
    error = "the connection is refused" if reason else None
    return [at, at, 1, 0.01, status, version, more.get("pod", "web-1"), reason, error]


@pytest.fixture
def kept(tmp_path: Path) -> Lines:
    return Lines(tmp_path / "deep" / "requests-web.jsonl")


def all_of(kept: Lines, since: float = 0.0, limit: int = 100_000) -> list[Line]:
    return [json.loads(one) for one in kept.since(since, limit)]


def test_what_ended_after_a_moment_is_told_oldest_first(kept):
    """Also a slow request that began before."""
    for at in (1.0, 2.0, 3.0):
        kept.add(line(at))
    slow = line(0.5)
    slow[lines.SECONDS] = 3.0
    kept.add(slow)
    assert [one[lines.AT] for one in all_of(kept, 2.5)] == [3.0, 0.5]
    assert [one[lines.AT] for one in all_of(kept, 0, 2)] == [3.0, 0.5]


def test_old_answers_are_put_together_and_no_failure_is_lost(kept):
    """Ten seconds of answers are a line, failures that followed each other another one."""
    for number in range(200):
        at = number / 10
        bad = number in (50, 51, 52, 120)
        kept.add(line(at, None if bad else 200, pod=f"web-{number % 2}"))
    kept.thin(10_000.0)
    found = all_of(kept)
    assert sum(one[lines.COUNT] for one in found) == 200
    bad = [one for one in found if one[lines.STATUS] is None]
    assert [one[: lines.SECONDS] for one in bad] == [[5.0, 5.2, 3], [12.0, 12.0, 1]]
    good = [one for one in found if one[lines.STATUS]]
    assert len(good) <= 3
    assert {one[lines.POD] for one in good} == {None}


def test_versions_stay_apart_also_when_old(kept):
    """What a rollout is seen by."""
    for number in range(100):
        kept.add(line(number / 100, version="1.0" if number % 2 else "2.0"))
    kept.thin(10_000.0)
    assert {one[lines.VERSION]: one[lines.COUNT] for one in all_of(kept)} == {"1.0": 50, "2.0": 50}


def test_what_is_new_is_not_put_together(kept):
    """Twenty minutes."""
    kept.add(line(0.0))
    kept.add(line(0.1))
    kept.thin(lines.RECENT)
    assert len(kept) == 2


def test_a_night_of_failures_is_bounded(kept, monkeypatch):
    """And a night of answers; neither pushes the other out."""
    monkeypatch.setattr(lines, "MOST_RECENT", 10)
    monkeypatch.setattr(lines, "MOST_OLDER", 20)
    kept.add(line(0.0, None))
    for number in range(5_000):
        kept.add(line(10 + number / 10))
    assert len(kept) == 10 + 20 + 1
    assert all_of(kept)[0][lines.REASON] == "refused"


def test_requests_outlive_a_restart(kept):
    """Also after they were put together and the file was written anew."""
    for number in range(100):
        kept.add(line(number / 10))
    kept.thin(10_000.0)
    kept.add(line(9_999.0))
    kept.flush()
    kept._rewrite()
    assert all_of(Lines(kept.file)) == all_of(kept)


def test_half_a_line_is_dropped_and_the_next_one_counts(kept):
    """The last write before a power loss."""
    kept.add(line(1.0))
    kept.flush()
    with kept.file.open("ab") as stream:
        stream.write(b"[2.0,2.0,1,0.0")
    again = Lines(kept.file)
    again.add(line(3.0))
    again.flush()
    assert [one[lines.AT] for one in all_of(Lines(kept.file))] == [1.0, 3.0]


def test_the_file_is_bounded(kept, monkeypatch):
    """It is written anew when it has grown by so much."""
    monkeypatch.setattr(lines, "MOST_RECENT", 10)
    monkeypatch.setattr(lines, "GROWTH", 5_000)
    for number in range(2_000):
        kept.add(line(number / 10))
        kept.flush()
        assert kept.file.stat().st_size < 20_000


def test_a_full_disk_loses_no_request(kept):
    """It is written when there is room."""
    kept.file.parent.parent.joinpath("deep").write_text("in the way")
    kept.add(line(1.0))
    with pytest.raises(OSError, match="deep"):
        kept.flush()
    kept.file.parent.unlink()
    kept.flush()
    assert len(Lines(kept.file)) == 1
