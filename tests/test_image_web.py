"""The contract of the web image, clause by clause; images/web/README.md states it."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from image_program import IMAGES, Listener, Program, free_port, peer, running, says, silence

SOURCE = IMAGES / "web" / "app.py"
README = (IMAGES / "web" / "README.md").read_text(encoding="utf-8")
IDENTITY = {"NAME": "shop", "POD_NAME": "web-1", "NODE_NAME": "kubelab-worker"}

Start = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def process(tmp_path: Path) -> Start:
    """Starts the server as an image of some version has it: app.py and a file beside it.

    A hasty one has a tenth of the patience.
    """

    @contextmanager
    def start(
        env: Mapping[str, str | bytes] | None = None, version: str = "1.0", hasty: bool = False
    ) -> Iterator[Program]:
        folder = tmp_path / version
        folder.mkdir(exist_ok=True)
        source = SOURCE.read_text(encoding="utf-8")
        for line in ("DRAIN = 5.0", "AWAY = 2.0"):
            assert f"\n{line}  #" in source
            source = source.replace(line, f"{line} / 10") if hasty else source
        (folder / "app.py").write_text(source, encoding="utf-8")
        (folder / "version").write_text(f"{version}\n", encoding="utf-8")
        with running(
            [sys.executable, "-S", folder / "app.py"], {**IDENTITY, **(env or {})}
        ) as started:
            yield started.listen()

    return start


@pytest.fixture(scope="module")
def app() -> ModuleType:
    """The source as a module."""
    spec = importlib.util.spec_from_file_location("kubelab_web_app", SOURCE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def web(app: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Starts the server in this process: for what it answers, not for how it starts and ends."""
    monkeypatch.setattr(app, "log", lambda message: None)

    @contextmanager
    def start(env: Mapping[str, str] | None = None, version: str = "1.0") -> Iterator[Listener]:
        monkeypatch.setattr(app, "version", lambda: version)
        for name, value in {**IDENTITY, **(env or {})}.items():
            monkeypatch.setenv(name, value)
        server = app.Server(0, app.port("STORE_PORT", 6379), app.identity())
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        listener = Listener()
        listener.port = server.server_address[1]
        try:
            yield listener
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    return start


def store(says_instead: bytes | None = None) -> AbstractContextManager:
    """A redis that knows INCR, and nothing that is not its protocol to the letter."""
    counts: dict[bytes, int] = {}

    def answer(words: list[bytes]) -> bytes:
        if len(words) != 2 or words[0].upper() != b"INCR":
            return b"-ERR unknown command\r\n"
        counts[words[1]] = counts.get(words[1], 0) + 1
        return b":%d\r\n" % counts[words[1]]

    def talk(connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            while line := stream.readline():
                assert (line[:1], line[-2:]) == (b"*", b"\r\n")
                words = []
                for _ in range(int(line[1:])):
                    size = stream.readline()
                    assert (size[:1], size[-2:]) == (b"$", b"\r\n")
                    word = stream.read(int(size[1:]) + 2)
                    assert word[-2:] == b"\r\n"
                    words.append(word[:-2])
                connection.sendall(answer(words) if says_instead is None else says_instead)
                if says_instead is not None:
                    return

    return peer(talk)


@contextmanager
def in_flight(program: Program, path: str) -> Iterator[Future]:
    """A request that the server is working on: connections are accepted in their order."""
    with ThreadPoolExecutor() as pool:
        sent = threading.Event()

        def ask() -> int:
            with socket.create_connection(("127.0.0.1", program.port), timeout=15) as connection:
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n".encode())
                sent.set()
                answer = connection.makefile("rb").read()
                return int(answer.split()[1]) if answer else 0

        future = pool.submit(ask)
        assert sent.wait(15)
        assert program.ask("/").status == 200
        yield future


# What every path tells


def test_every_path_tells_name_version_pod_node_and_path(process):
    """Any path answers 200 with the five facts, in JSON, to programs."""
    with process() as program:
        for path in ("/", "/menu", "/api", "/api/v1", "/apix", "/a%20b"):
            answer = program.ask(f"{path}?query=1")
            assert answer.status == 200
            assert answer.headers["content-type"].startswith("application/json")
            assert answer.json == {
                "name": "shop",
                "version": "1.0",
                "pod": "web-1",
                "node": "kubelab-worker",
                "path": path,
            }


def test_facts_that_are_not_given_have_defaults(web):
    """Without NAME, POD_NAME and NODE_NAME: web, the host's name, null."""
    with web({"NAME": "", "POD_NAME": "", "NODE_NAME": ""}) as program:
        found = program.ask("/").json
    assert (found["name"], found["pod"], found["node"]) == ("web", socket.gethostname(), None)


def test_every_answer_carries_the_facts_as_headers(web, tmp_path):
    """Also where the body is a file."""
    menu = tmp_path / "menu.txt"
    menu.write_text("soup\n", encoding="utf-8")
    with web({"FILE": str(menu)}) as program:
        for path in ("/", "/file", "/healthz"):
            headers = program.ask(path).headers
            assert [headers[f"x-web-{key}"] for key in ("name", "version", "pod", "node")] == [
                "shop",
                "1.0",
                "web-1",
                "kubelab-worker",
            ]


def test_browsers_get_a_small_page(web):
    """Accept: text/html is answered with a page that holds the same facts, escaped."""
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    with web({"NAME": "<b>shop</b>"}) as program:
        answer = program.ask("/menu/<i>", headers=browser)
        broken = program.ask("/backend", headers=browser)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert len(answer.text) < 2048
    for word in ("&lt;b&gt;shop&lt;/b&gt;", "1.0", "web-1", "kubelab-worker", "/menu/&lt;i&gt;"):
        assert word in answer.text
    assert "<b>" not in answer.text
    assert broken.status == 502
    assert "BACKEND_URL is not set" in broken.text


def test_every_request_is_a_new_connection(web):
    """The server closes after each answer, and says so."""
    with web() as program, socket.create_connection(("127.0.0.1", program.port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nConnection: close\r\n" in answer


def test_head_and_post_are_answered_like_get(web):
    """HEAD without a body; a body that is sent along is read and not looked at."""
    with web() as program:
        assert program.ask("/", "HEAD").text == ""
        assert program.ask("/", "POST", body=b"x" * 60_000).json["path"] == "/"


@pytest.mark.parametrize("version", ["1.0", "2.0", "2.1"])
def test_versions_differ_by_what_they_tell(process, version):
    """The tag is what the file of the image says; the environment can't claim another."""
    with process({"VERSION": "9.9"}, version) as program:
        assert program.ask("/").json["version"] == version
        assert program.ask("/healthz").status == 200


def test_readiness_of_3_0_never_comes(web):
    """Every path answers but /healthz."""
    with web(version="3.0") as program:
        assert program.ask("/").status == 200
        assert program.ask("/healthz").status == 503


# Health


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_fail_turns_only_health_off_until_a_restart(process, method):
    """After /fail the page goes on, and a new process is healthy again."""
    with process() as program:
        assert program.ask("/healthz").json["healthy"] is True
        assert program.ask("/fail", method).status == 200
        answer = program.ask("/healthz")
        assert (answer.status, answer.json["healthy"]) == (503, False)
        assert program.ask("/").status == 200
    with process() as program:
        assert program.ask("/healthz").status == 200


def test_only_the_path_itself_is_healthz(web):
    """A path that begins or ends alike is a page."""
    with web(version="3.0") as program:
        assert program.ask("/healthz?verbose").status == 503
        assert program.ask("/healthzz").status == 200
        assert program.ask("/api/healthz").status == 200


def test_probes_that_succeed_are_not_logged(process):
    """The log holds requests of people and failing probes."""
    with process() as program:
        program.ask("/healthz")
        program.ask("/menu")
        program.line('"GET /menu')
        program.ask("/fail")
        program.ask("/healthz")
        program.line('"GET /healthz HTTP/1.1" 503')
    assert sum("/healthz HTTP" in line for line in program.lines) == 1


# Slow


def test_slow_answers_after_that_many_seconds(web):
    """/slow?s=0.4 takes 0.4 s."""
    with web() as program:
        began = time.monotonic()
        answer = program.ask("/slow?s=0.4")
        assert time.monotonic() - began >= 0.4
    assert answer.json["slept"] == 0.4


def test_slow_is_bounded(app, monkeypatch):
    """Less than 0 is 0, more than 30 is 30, nothing is 5, and what is no number is refused."""
    slept: list[float] = []
    monkeypatch.setattr(app.time, "sleep", slept.append)
    for text in ("-1", "31", "inf", "2.5"):
        app.slow({"s": [text]})
    app.slow({})
    assert slept == [0, 30, 30, 2.5, 5]
    for text in ("x", "nan"):
        with pytest.raises(app.PageError, match="no number of seconds"):
            app.slow({"s": [text]})


def test_a_slow_request_holds_up_no_other(web):
    """Each connection has a thread."""
    with web() as program, in_flight(program, "/slow?s=0.5") as slow:
        assert program.ask("/").status == 200
        assert not slow.done()
        assert slow.result() == 200


# Visits


def test_visits_are_counted_in_the_store_by_visitor(web):
    """Each visitor has a count; the answer tells count and store."""
    with store() as redis, web({"STORE_HOST": "localhost", "STORE_PORT": str(redis.port)}) as shop:
        counts = [shop.ask("/visits?visitor=ann").json["count"] for _ in range(3)]
        other = shop.ask("/visits?visitor=b%C3%B6").json
        assert counts == [1, 2, 3]
        assert (other["count"], other["visitor"]) == (1, "bö")
        assert other["store"] == f"localhost:{redis.port}"
        assert shop.ask("/visits").json["visitor"] == "everybody"
        assert redis.connections == 5


def test_a_store_that_is_away_is_503_with_one_sentence(web):
    """Refused, closing and unresolvable stores, and none at all."""
    with web() as program:
        answer = program.ask("/visits")
        assert (answer.status, answer.json["path"]) == (503, "/visits")
        assert answer.json["error"].startswith("STORE_HOST is not set")
    port = free_port()
    with web({"STORE_HOST": "127.0.0.1", "STORE_PORT": str(port)}) as program:
        answer = program.ask("/visits")
        wanted = f"The store 127.0.0.1:{port} is away: Connection refused."
        assert (answer.status, answer.json["error"]) == (503, wanted)
    with store(b"") as redis, web({"STORE_HOST": "127.1", "STORE_PORT": str(redis.port)}) as shop:
        assert "closed the connection" in shop.ask("/visits").json["error"]
    with web({"STORE_HOST": "x" * 70}) as program:
        assert program.ask("/visits").status == 503


def test_a_store_that_refuses_or_is_silent_is_503(web, app, monkeypatch):
    """A redis that is out of memory, something else, and something that never answers."""
    for answer in (b"-OOM command not allowed\r\n", b"HTTP/1.1 400 Bad Request\r\n"):
        with store(answer) as redis, web({"STORE_HOST": "127.0.0.1",
                                          "STORE_PORT": str(redis.port)}) as shop:  # fmt: skip
            found = shop.ask("/visits")
            assert (found.status, "refuses to count" in found.json["error"]) == (503, True)
    with peer(silence) as silent:
        env = {"STORE_HOST": "127.0.0.1", "STORE_PORT": str(silent.port)}
        assert app.AWAY == 2
        monkeypatch.setattr(app, "AWAY", 0.2)
        with web(env) as shop:
            found = shop.ask("/visits")
            assert (found.status, "no answer within 0.2 s" in found.json["error"]) == (503, True)


def test_a_visitor_has_1_to_64_characters(web):
    """A key without bounds would fill the store."""
    with web() as program:
        assert program.ask(f"/visits?visitor={'x' * 65}").status == 400


# Backend


def test_backend_embeds_what_the_backend_says(web):
    """The answer is the backend's JSON inside the caller's."""
    with web({"NAME": "api"}, "2.0") as api:
        url = f"http://localhost:{api.port}/v1?x=1"
        with web({"NAME": "caller", "BACKEND_URL": url}) as caller:
            answer = caller.ask("/backend")
    assert answer.status == 200
    assert (answer.json["name"], answer.json["backend"]["name"]) == ("caller", "api")
    assert answer.json["backend"]["path"] == "/v1"
    assert answer.json["backend_url"] == url


def test_backend_is_looked_up_and_connected_to_for_every_call(app, monkeypatch):
    """A Service that was made again with another address is found."""
    lookups: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: str, *rest: object, **more: object) -> object:
        lookups.append(host)
        return real("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with peer(says(body)) as api:
        monkeypatch.setenv("BACKEND_URL", f"http://api.lab-03:{api.port}/")
        assert [app.backend(0)["backend"] for _ in range(2)] == [{}, {}]
        assert lookups == ["api.lab-03", "api.lab-03"]
        assert api.connections == 2


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n", "answers with status 503"),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "status 302"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhi\r\n", "not in JSON"),
        (b"hello\r\n", "does not answer"),
        (b"", "does not answer"),
    ],
)
def test_a_backend_that_does_not_work_is_502_with_a_sentence(web, answer, sentence):
    """Another status, another format, no HTTP, nothing."""
    with peer(says(answer)) as api, web({"BACKEND_URL": f"http://127.0.0.1:{api.port}"}) as caller:
        found = caller.ask("/backend")
    assert found.status == 502
    assert sentence in found.json["error"]


@pytest.mark.parametrize("url", ["", "api:8080", "https://api/", "http://[", "http://a b/"])
def test_a_backend_url_that_is_none_is_502_with_a_sentence(web, url):
    """The server starts, and tells at the call."""
    with web({"BACKEND_URL": url}) as program:
        found = program.ask("/backend")
    assert found.status == 502
    assert "BACKEND_URL" in found.json["error"] or "does not answer" in found.json["error"]


def test_backends_in_a_circle_stop(process):
    """A caller whose backend is its own /backend gets an answer after five calls."""
    port = free_port()
    env = {"BACKEND_URL": f"http://127.0.0.1:{port}/backend", "PORT": str(port)}
    with process(env) as program:
        assert program.ask("/backend").status == 502
        assert (
            program.ask("/backend", headers={"X-Hops": "5"})
            .json["error"]
            .startswith("The backends call each other in a circle")
        )


# File


def test_file_is_read_anew_for_every_request(web, tmp_path):
    """The text of FILE, as it is now, for programs and browsers alike."""
    menu = tmp_path / "menu.txt"
    with web({"FILE": str(menu)}) as program:
        for text in ("uid\n1\n", "uid\n2 größer\n"):
            menu.write_text(text, encoding="utf-8")
            answer = program.ask("/file", headers={"Accept": "text/html"})
            assert (answer.status, answer.text) == (200, text)
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_file_that_is_absent_is_404_with_a_sentence(web, tmp_path):
    """And one that can't be read is 500; a file is read up to 64 KiB."""
    with web({"FILE": str(tmp_path / "none.txt")}) as program:
        answer = program.ask("/file")
        assert (answer.status, answer.text) == (404, f"There is no file {tmp_path}/none.txt.\n")
    with web({"FILE": str(tmp_path)}) as program:
        answer = program.ask("/file")
        assert (answer.status, answer.text) == (
            500,
            f"The file {tmp_path} can't be read: Is a directory.\n",
        )
    large = tmp_path / "large"
    large.write_bytes(b"\xff" * 100_000)
    with web({"FILE": str(large)}) as program:
        assert program.ask("/file").text == "\ufffd" * 65536


def test_the_file_is_the_menu_by_default(app, monkeypatch):
    """/data/menu.txt."""
    monkeypatch.delenv("FILE", raising=False)
    opened: list[str] = []

    def absent(file: str, mode: str) -> None:
        opened.append(file)
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", absent)
    with pytest.raises(app.PageError):
        app.menu()
    assert opened == ["/data/menu.txt"]


# The end


def terminate(program: Program) -> float:
    program.process.send_signal(signal.SIGTERM)
    return time.monotonic()


def test_exit_is_the_default_and_ends_at_once(process):
    """A request in flight is lost; the exit code is 0."""
    with process() as program, in_flight(program, "/slow?s=10") as slow:
        terminate(program)
        assert program.ended() == 0
        with pytest.raises((ConnectionError, AssertionError)):
            assert slow.result() == 200


def test_finish_accepts_no_more_and_answers_what_is_in_flight(process):
    """New connections are refused while the slow one goes on; then the exit code is 0."""
    with process({"ON_TERM": "finish"}) as program, in_flight(program, "/slow?s=1") as slow:
        terminate(program)
        program.line("accepting no more")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", program.port), timeout=5)
        assert not slow.done()
        assert slow.result() == 200
        assert program.ended() == 0
        assert program.lines[-1] == "finished"


def test_drain_accepts_for_a_while_first(process, app):
    """Requests sent after SIGTERM are answered, also one that is slow when the 5 s end."""
    assert app.DRAIN == 5
    with process({"ON_TERM": "drain"}, hasty=True) as program:
        began = terminate(program)
        program.line("accepting for 0.5 s more")
        assert program.ask("/").status == 200
        with in_flight(program, "/slow?s=1") as slow:
            program.line("accepting no more")
            assert time.monotonic() - began >= 0.5
            assert slow.result() == 200
        assert program.ended() == 0


def test_ignore_goes_on(process):
    """SIGTERM is told in the log, and nothing else happens."""
    with process({"ON_TERM": "ignore"}) as program:
        terminate(program)
        program.line("SIGTERM: ignored")
        assert program.ask("/").status == 200
        assert program.process.poll() is None


def test_finish_waits_for_nobody_when_nothing_is_in_flight(process, app):
    """An idle server ends in no time: not even a silent connection's time passes."""
    with process({"ON_TERM": "finish"}) as program:
        began = terminate(program)
        assert program.ended() == 0
        assert time.monotonic() - began < app.Handler.timeout


@pytest.mark.parametrize("choice", ["exit", "finish"])
def test_the_first_process_of_a_container_hears_sigterm(tmp_path, choice):
    """As PID 1 of a namespace the kernel keeps back signals that a process does not ask for."""
    shutil.copy(SOURCE, tmp_path)
    command = [
        "unshare",
        "--pid",
        "--fork",
        "--kill-child",
        sys.executable,
        "-S",
        tmp_path / "app.py",
    ]
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("a PID namespace needs root and unshare")
    with running(command, {"ON_TERM": choice}) as program:
        program.listen()
        parent = program.process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
        os.kill(int(children), signal.SIGTERM)
        assert program.ended() == 0


# The start


def test_it_takes_little_memory(process):
    """After work it has at most 28 MiB resident, shared libraries included."""
    with process() as program:
        for _ in range(50):
            program.ask("/")
        status = Path(f"/proc/{program.process.pid}/status").read_text(encoding="ascii")
    assert int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) < 28 * 1024


def test_environment_that_makes_no_sense_is_told_and_replaced(process):
    """Line breaks, bytes that are no text, a Service's variable: it starts, and answers."""
    env = {
        "NAME": b"sh\xffop\nX-Evil: 1",
        "POD_NAME": "   ",
        "ON_TERM": "Explode",
        "STORE_PORT": "tcp://10.96.0.7:6379",
        "STORE_HOST": b"\xff",
        "FILE": b"\xff",
    }
    with process(env) as program:
        answer = program.ask("/")
        page = program.ask("/", headers={"Accept": "text/html"})
        assert (answer.status, page.status) == (200, 200)
        assert "x-evil" not in answer.headers
        assert program.ask("/visits").status == 503
        assert program.ask("/file").status == 404
        said = "\n".join(program.lines)
        assert "ON_TERM is 'explode', which is none of exit, finish, drain, ignore" in said
        assert "STORE_PORT is 'tcp://10.96.0.7:6379', which is no port number: using 6379" in said
        terminate(program)
        assert program.ended() == 0


@pytest.mark.parametrize("text", ["tcp://10.0.0.1:80", "-1", "65536", "٣", "8080x"])
def test_a_port_that_is_none_is_8080(app, monkeypatch, capsys, text):
    """The line in the log names variable, value and what is used instead."""
    monkeypatch.setenv("PORT", text)
    assert app.port("PORT", 8080) == 8080
    assert capsys.readouterr().out == f"PORT is {text!r}, which is no port number: using 8080\n"


def test_a_port_that_is_taken_is_exit_code_1(tmp_path):
    """With one line that says which port."""
    shutil.copy(SOURCE, tmp_path)
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = str(taken.getsockname()[1])
        with running([sys.executable, "-S", tmp_path / "app.py"], {"PORT": port}) as program:
            assert program.ended() == 1
    assert program.lines == [f"can't listen on port {port}: Address already in use"]


def test_a_client_that_goes_away_leaves_no_trace_of_trouble(process):
    """A connection without a request, a reset one, nonsense: the server goes on."""
    with process() as program:
        for sent in (b"", b"GET", b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", program.port)) as connection:
                connection.sendall(sent)
        program.ask("/end")
        program.line('"GET /end')
    assert not [line for line in program.lines if "Traceback" in line]


# The words


def test_the_readme_names_every_path_and_every_variable():
    """Nothing is undocumented."""
    source = SOURCE.read_text(encoding="utf-8")
    paths = set(re.findall(r'route == "(/\w+)"', source))
    variables = set(re.findall(r'(?:setting|port)\("(\w+)"', source))
    assert paths == {"/healthz", "/fail", "/slow", "/visits", "/backend", "/file"}
    assert {"NAME", "POD_NAME", "NODE_NAME", "ON_TERM", "STORE_HOST", "PORT"} <= variables
    assert [word for word in sorted(paths | variables) if f"`{word}" not in README] == []
