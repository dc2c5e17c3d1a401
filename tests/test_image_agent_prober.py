"""The prober of images/agent: what it asks, and how it tells what came back."""

from __future__ import annotations

import ipaddress
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fakes import Clock
from image_program import (
    IMAGES,
    PATIENCE,
    Program,
    agent,
    free_port,
    peer,
    request,
    running,
    says,
    silence,
)

sys.path.insert(0, str(IMAGES / "agent"))
from agent import ask_dns, certificate, connections, questions, service
from agent import prober as source

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def prober() -> Iterator[Program]:
    with agent("prober") as program:
        yield program


@pytest.fixture
def ask(prober: Program) -> Callable[..., list[Json]]:
    """Put a question; its answers."""

    def put(**question: Any) -> list[Json]:
        answer = prober.ask("/ask", "POST", question, timeout=60)
        assert answer.status == 200, answer.text
        return answer.json["answers"]

    return put


# The server


def test_health_is_told(prober):
    """/healthz answers 200, and an unknown path 404 with a sentence."""
    assert prober.ask("/healthz").json == {"ok": True, "role": "prober"}
    answer = prober.ask("/elsewhere")
    assert (answer.status, answer.json) == (404, {"error": "There is nothing at /elsewhere."})


def test_a_question_comes_in_a_body_or_a_query(prober):
    """POST with a body, GET with a body, GET with a query."""
    question = {"kind": "tcp", "address": f"127.0.0.1:{prober.port}"}
    for method in ("POST", "GET"):
        assert prober.ask("/ask", method, question).json["answers"][0]["ok"]
    asked = f"/ask?kind=tcp&address=127.0.0.1:{prober.port}&count=2"
    assert [one["ok"] for one in prober.ask(asked).json["answers"]] == [True, True]


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        (b"{", "no JSON"),
        (b"[]", "no JSON object"),
        (b"x" * 70_000, "at most 65536 bytes"),
        ({}, "`kind`"),
        ({"kind": "ping"}, "none of http, tcp, dns, tls"),
        ({"kind": "tcp", "address": "redis"}, "no host:port"),
        ({"kind": "tcp", "address": "redis:0"}, "no host:port"),
        ({"kind": "http", "url": "ftp://x/"}, "no http:// or https://"),
        ({"kind": "http", "url": "http://["}, "no http:// or https://"),
        ({"kind": "http", "url": 5}, "`url`"),
        ({"kind": "http", "url": "http://x/", "method": "BREW"}, "none of GET"),
        ({"kind": "http", "url": "http://x/", "host": "a\r\nb"}, "`host`"),
        ({"kind": "http", "url": "http://x/", "headers": ["a"]}, "`headers`"),
        ({"kind": "http", "url": "http://x/", "count": 1001}, "from 1 to 1000"),
        ({"kind": "http", "url": "http://x/", "count": True}, "from 1 to 1000"),
        ({"kind": "http", "url": "http://x/", "timeout": "nan"}, "from 0.01 to 30"),
        ({"kind": "http", "url": "http://x/", "concurrency": 51}, "from 1 to 50"),
        ({"kind": "dns", "name": "a..b"}, "no DNS name"),
        ({"kind": "dns", "name": "a", "type": "MX"}, "none of A, AAAA, SRV"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_with_a_sentence(prober, question, sentence):
    """400, and the field that is wrong."""
    answer = prober.ask("/ask", "POST", question)
    assert answer.status == 400
    assert sentence in answer.json["error"]


@pytest.mark.parametrize("role", ["prober", "recorder"])
def test_sigterm_ends_it_at_once_with_exit_code_0(role, tmp_path):
    """Also while a question is under way."""
    with peer(silence) as silent, agent(
        role, {"STATE": str(tmp_path), "AUDIT_LOG": str(tmp_path / "none")}
    ) as program, ThreadPoolExecutor() as pool:  # fmt: skip
        if role == "prober":
            url = f"http://127.0.0.1:{silent.port}/"
            question = {"kind": "http", "url": url, "timeout": 20}
            pending = pool.submit(program.ask, "/ask", "POST", question)
            assert program.ask("/healthz").status == 200
        program.process.send_signal(signal.SIGTERM)
        assert program.ended() == 0
        if role == "prober":
            assert isinstance(pending.exception(), ConnectionError)


@pytest.mark.parametrize("arguments", [[], ["reporter"], ["prober", "more"]])
def test_another_role_is_exit_code_2(arguments):
    """With the usage."""
    command = [sys.executable, "-S", "-m", "agent", *arguments]
    with running(command, {"PYTHONPATH": str(IMAGES / "agent")}) as program:
        assert program.ended() == 2
    assert program.lines == ["usage: python3 -m agent prober|recorder"]


# HTTP


def test_an_http_answer_has_status_headers_and_body(ask):
    """And when it was asked, and how long it took."""
    with peer(says(OK)) as server:
        (answer,) = ask(kind="http", url=f"http://localhost:{server.port}/healthz")
    assert (answer["ok"], answer["status"], answer["body"]) == (True, 200, "hi")
    assert answer["headers"] == {"content-type": "text/plain", "content-length": "2"}
    assert (answer["reason"], answer["error"], answer["truncated"]) == (None, None, False)
    assert 0 < answer["seconds"] < 2
    assert abs(answer["at"] - time.time()) < 60


def test_what_is_sent_is_what_was_asked(ask):
    """Method, path, Host, extra headers and content; the URL's host is not connected to."""
    heard: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        heard.append(request(connection))
        connection.sendall(OK)

    with peer(talk) as server:
        ask(
            kind="http",
            url="http://nowhere.invalid/a?b=c",
            host="shop.lab-05.localhost",
            connect=f"127.0.0.1:{server.port}",
            method="post",
            headers={"X-Visitor": "ann", "HOST": "never"},
        )
        ask(kind="http", url=f"http://127.0.0.1:{server.port}")
    lines = heard[0].decode().splitlines()
    assert lines[0] == "POST /a?b=c HTTP/1.1"
    assert [line for line in lines if line.lower().startswith("host:")] == [
        "host: shop.lab-05.localhost"
    ]
    assert "connection: close" in lines
    assert "x-visitor: ann" in lines
    assert heard[1].startswith(b"GET / HTTP/1.1\r\n")


def test_redirects_are_told_and_not_followed(ask):
    """302 is the answer; the other place is never asked."""
    answer = b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"
    with peer(says(answer)) as server:
        (found,) = ask(kind="http", url=f"http://127.0.0.1:{server.port}/")
        assert server.connections == 1
    assert (found["status"], found["headers"]["location"], found["ok"]) == (302, "/other", True)


def test_a_status_of_400_and_more_is_an_answer_that_is_not_ok(ask):
    """It has a status and no error."""
    with peer(says(b"HTTP/1.1 503 Away\r\nContent-Length: 4\r\n\r\nsoon")) as server:
        (found,) = ask(kind="http", url=f"http://127.0.0.1:{server.port}/")
    assert (found["ok"], found["status"], found["body"], found["error"]) == (
        False, 503, "soon", None)  # fmt: skip


def test_many_questions_are_many_connections(ask):
    """A thousand in a moment, each on its own connection."""
    with peer(says(OK)) as server:
        answers = ask(
            kind="http",
            url=f"http://127.0.0.1:{server.port}/",
            count=1000,
            concurrency=20,
            timeout=30.0,
        )
        assert server.connections == 1000
    assert [one["status"] for one in answers] == [200] * 1000


def test_questions_are_asked_in_order_unless_told_otherwise(ask):
    """One after the other, so a counter counts 1, 2, 3."""
    lock, count = threading.Lock(), [0]

    def talk(connection: socket.socket) -> None:
        request(connection)
        with lock:
            count[0] += 1
            number = count[0]
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n%d" % number)

    with peer(talk) as server:
        answers = ask(kind="http", url=f"http://127.0.0.1:{server.port}/", count=20)
    assert [int(one["body"]) for one in answers] == list(range(1, 21))


def test_questions_can_be_spread_over_time(monkeypatch):
    """`every` is the time between two starts, however long an answer takes."""
    clock = Clock(0.0)
    monkeypatch.setattr(source, "time", clock)

    def talk(connection: socket.socket) -> None:
        clock.sleep(0.5)
        says(OK)(connection)

    with peer(talk) as server:
        url = f"http://127.0.0.1:{server.port}/"
        _, told = source.ask({"kind": "http", "url": url, "count": 4, "every": 2.5})
    assert [one["at"] for one in told["answers"]] == [0.0, 2.5, 5.0, 7.5]
    assert {one["seconds"] for one in told["answers"]} == {0.5}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "reset"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "reset"),
        (b"220 mail ready\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "reset"),
    ],
)
def test_a_broken_answer_is_a_failure_with_its_reason(ask, answer, reason):
    """Nothing, half of it, another protocol."""
    with peer(says(answer)) as server:
        (found,) = ask(kind="http", url=f"http://127.0.0.1:{server.port}/")
    assert (found["ok"], found["status"], found["reason"]) == (False, None, reason), found
    assert found["error"]


def test_a_chunked_answer_is_put_together(ask):
    """As Envoy sends it."""
    body = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n"
    with peer(says(body)) as server:
        (found,) = ask(kind="http", url=f"http://127.0.0.1:{server.port}/")
    assert found["body"] == "hi!"


def test_a_large_answer_is_cut(ask):
    """The body at 4 KiB, headers at 1 KiB each and 40 in all."""
    head = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 2000) for number in range(60))
    with peer(says(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + b"z" * 100_000)) as server:
        (found,) = ask(kind="http", url=f"http://127.0.0.1:{server.port}/")
    assert (len(found["body"]), found["truncated"]) == (4096, True)
    assert len(found["headers"]) == 40
    assert max(len(value) for value in found["headers"].values()) == 1024


def test_a_whole_answer_has_to_come_in_time(ask):
    """Silence, and an answer that comes drop by drop."""

    def drip(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        connection.settimeout(0.05)
        while True:
            connection.sendall(b"x")
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                continue

    for talk in (silence, drip):
        with peer(talk) as server:
            (found,) = ask(kind="http", url=f"http://127.0.0.1:{server.port}/", timeout=0.4)
        assert (found["reason"], found["error"]) == ("timeout", "no answer within 0.4 s")
        assert 0.4 <= found["seconds"] < 2


def test_a_port_without_a_listener_refuses(ask):
    """The reason tells it from silence, which is what a policy makes of it."""
    (found,) = ask(kind="http", url=f"http://127.0.0.1:{free_port()}/")
    assert (found["reason"], found["error"]) == ("refused", "the connection is refused")


def test_a_name_that_nobody_knows_is_told(ask, monkeypatch):
    """Without a look-up on the network: the name can't be one."""
    (found,) = ask(kind="http", url=f"http://{'x' * 70}/")
    assert found["error"]
    assert found["ok"] is False


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "169.254.169.254", "224.0.0.1"]
)
def test_nothing_is_asked_outside_the_cluster(host):
    """Public, link-local and multicast addresses are refused before a connection is made."""
    with pytest.raises(connections.OutsideError, match="is no address in the cluster"):
        connections.look_up(host, 80)


@pytest.mark.parametrize("host", ["10.96.0.1", "172.18.0.3", "127.0.0.1", "fd00::1", "100.64.0.1"])
def test_addresses_of_clusters_are_inside(host):
    """Private, loopback and shared ones."""
    assert connections.look_up(host, 80) == (host, 80)


def test_an_address_is_read_with_and_without_brackets():
    """`host:port`, and a default where one is given."""
    assert questions.address("[::1]:80") == ("::1", 80)
    assert questions.address("[::1]", 443) == ("::1", 443)
    assert questions.address("redis.lab-00", 6379) == ("redis.lab-00", 6379)
    with pytest.raises(service.BadQuestionError):
        questions.address("[::1]")


# TCP


def test_tcp_tells_whether_a_port_accepts(ask):
    """And to whom the connection went."""
    with peer(lambda connection: None) as server:
        (found,) = ask(kind="tcp", address=f"localhost:{server.port}")
        assert (found["ok"], found["peer"]) == (True, f"127.0.0.1:{server.port}")
    (found,) = ask(kind="tcp", address=f"127.0.0.1:{free_port()}")
    assert (found["ok"], found["reason"]) == (False, "refused")


# DNS


def record(kind: int, data: bytes, name: bytes = b"\xc0\x0c") -> bytes:
    return name + struct.pack("!HHIH", kind, 1, 30, len(data)) + data


def reply(packet: bytes, *records: bytes, flags: int = 0x8180) -> bytes:
    head = packet[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0)
    return head + packet[12:] + b"".join(records)


@contextmanager
def resolver(answer: Callable[[bytes], list[bytes]], by_tcp: Callable[[bytes], bytes] = bytes):
    """A name server on loopback; `answer` gives the packets for a question."""
    with socket.create_server(("127.0.0.1", 0)) as stream, socket.socket(
        socket.AF_INET, socket.SOCK_DGRAM
    ) as datagrams:  # fmt: skip
        datagrams.bind(stream.getsockname())

        def serve() -> None:
            while True:
                packet, sender = datagrams.recvfrom(4096)
                if not packet:
                    return
                for part in answer(packet):
                    datagrams.sendto(part, sender)

        def serve_stream() -> None:
            try:
                connection, _ = stream.accept()
            except OSError:
                return
            with connection:
                whole = by_tcp(connection.recv(4096)[2:])
                connection.sendall(struct.pack("!H", len(whole)) + whole[:5])
                connection.sendall(whole[5:])

        threads = [threading.Thread(target=target) for target in (serve, serve_stream)]
        for thread in threads:
            thread.start()
        yield f"127.0.0.1:{stream.getsockname()[1]}"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", datagrams.getsockname())
        stream.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(PATIENCE)


def test_dns_tells_every_address_of_a_name(ask):
    """A record for each ready Pod; packets that answer another question are not listened to."""
    asked: list[bytes] = []

    def answer(packet: bytes) -> list[bytes]:
        asked.append(packet)
        other = bytes([packet[0] ^ 1]) + packet[1:]
        return [b"", other, reply(packet, *(record(1, bytes([10, 244, 1, n])) for n in (3, 4)))]

    with resolver(answer) as server:
        (found,) = ask(kind="dns", name="web.lab-03.svc.cluster.local", resolver=server)
    assert (found["ok"], found["rcode"]) == (True, "NOERROR")
    assert found["addresses"] == ["10.244.1.3", "10.244.1.4"]
    assert found["records"][0] == {
        "name": "web.lab-03.svc.cluster.local", "type": "A", "ttl": 30, "data": "10.244.1.3",
    }  # fmt: skip
    assert asked[0][12:] == b"\x03web\x06lab-03\x03svc\x07cluster\x05local\0\0\1\0\1"


def test_dns_tells_srv_and_ipv6_records(ask):
    """SRV with its four parts, AAAA as an address, a CNAME on the way."""
    target = b"\x03web\xc0\x0c"

    def answer(packet: bytes) -> list[bytes]:
        kind = struct.unpack("!H", packet[-4:-2])[0]
        if kind == 33:
            return [reply(packet, record(33, struct.pack("!HHH", 0, 50, 8080) + target))]
        address = ipaddress.ip_address("fd00::7").packed
        return [reply(packet, record(5, target), record(kind, address))]

    with resolver(answer) as server:
        (srv,) = ask(kind="dns", name="lab-03", type="SRV", resolver=server)
        (quad,) = ask(kind="dns", name="lab-03", type="aaaa", resolver=server)
    assert srv["records"][0]["data"] == {
        "priority": 0, "weight": 50, "port": 8080, "target": "web.lab-03",
    }  # fmt: skip
    assert quad["addresses"] == ["fd00::7"]
    assert [one["type"] for one in quad["records"]] == ["CNAME", "AAAA"]


def test_dns_asks_again_by_tcp_where_the_answer_is_cut(ask):
    """A headless Service with many Pods does not fit into a packet."""
    many = [record(1, bytes([10, 244, 2, n])) for n in range(100)]

    with resolver(
        lambda packet: [reply(packet, flags=0x8380)], lambda packet: reply(packet, *many)
    ) as server:
        (found,) = ask(kind="dns", name="web", resolver=server)
    assert len(found["addresses"]) == 100


def test_dns_tells_a_name_that_does_not_exist_from_a_server_that_does_not_answer(ask):
    """NXDOMAIN is an answer; silence is a timeout; a broken packet makes no sense."""
    with resolver(lambda packet: [reply(packet, flags=0x8183)]) as server:
        (found,) = ask(kind="dns", name="none", resolver=server)
    assert (found["ok"], found["rcode"], found["error"]) == (False, "NXDOMAIN", None)
    with resolver(lambda packet: []) as server:
        (found,) = ask(kind="dns", name="none", resolver=server, timeout=0.2)
    assert found["reason"] == "timeout"
    loop = b"\xc0\x0c" * 2
    with resolver(lambda packet: [packet[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + loop]) as server:
        (found,) = ask(kind="dns", name="none", resolver=server)
    assert found["reason"] == "protocol"


def test_the_resolver_is_the_pods_own(monkeypatch, tmp_path):
    """The first nameserver of /etc/resolv.conf."""
    file = tmp_path / "resolv.conf"
    monkeypatch.setattr(ask_dns, "RESOLV_CONF", file)
    file.write_text("search lab.local\nnameserver 10.96.0.10\nnameserver 10.0.0.1\n", "utf-8")
    assert ask_dns.resolver() == "10.96.0.10"


# TLS


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for a shop, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=shop", "-keyout", folder / "key.pem",
         "-out", folder / "leaf.pem", "-addext",
         "subjectAltName=DNS:shop.lab-05.localhost,DNS:*.lab-05.localhost,IP:127.0.0.1"],
        check=True, capture_output=True)  # fmt: skip
    return folder


@pytest.fixture
def secured(certified: Path) -> Iterator[tuple[int, list[str]]]:
    """A TLS server, and the names that it was asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified / "leaf.pem", certified / "key.pem")
    names: list[str] = []
    context.sni_callback = lambda _, name, __: names.append(name)

    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            if wrapped.recv(4096):
                wrapped.sendall(OK)

    with peer(talk) as server:
        yield server.port, names


def test_tls_tells_the_leaf_for_a_name(ask, secured, certified):
    """SNI is sent; the certificate comes whole, with its names and dates."""
    port, names = secured
    (found,) = ask(kind="tls", address=f"127.0.0.1:{port}", sni="shop.lab-05.localhost")
    assert found["ok"], found
    assert names == ["shop.lab-05.localhost"]
    leaf = (certified / "leaf.pem").read_text(encoding="ascii")
    assert ssl.PEM_cert_to_DER_cert(found["certificate"]) == ssl.PEM_cert_to_DER_cert(leaf)
    assert found["names"] == ["shop.lab-05.localhost", "*.lab-05.localhost", "127.0.0.1"]
    assert found["not_after"] - found["not_before"] == 2 * 24 * 3600
    assert abs(found["not_before"] - time.time()) < 600
    assert found["protocol"] == "TLSv1.3"


def test_https_is_asked_with_any_certificate(ask, secured):
    """`connect`, `sni` and `host` lead to one virtual host of a proxy."""
    port, names = secured
    (found,) = ask(kind="http", url="https://shop.lab-05.localhost/", connect=f"127.0.0.1:{port}")
    assert (found["status"], found["body"]) == (200, "hi")
    assert names == ["shop.lab-05.localhost"]


def test_a_server_without_tls_fails_the_handshake(ask):
    """The reason is tls, and silence within it a timeout."""
    with peer(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as plain:
        (found,) = ask(kind="tls", address=f"127.0.0.1:{plain.port}")
    assert found["reason"] in ("tls", "reset")
    with peer(silence) as silent:
        (found,) = ask(kind="tls", address=f"127.0.0.1:{silent.port}", timeout=0.3)
    assert found["reason"] == "timeout"


def test_what_is_no_certificate_is_refused():
    """The reader of DER trusts no length."""
    for data in (b"", b"\x30", b"\x30\x05\x30", b"\x30\x84\xff\xff\xff\xff", bytes(64)):
        with pytest.raises(ValueError, match="no certificate"):
            certificate.read(data)
