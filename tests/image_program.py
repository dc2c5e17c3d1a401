"""The programs of the lab images, run as they are on loopback, and a server that says anything."""

from __future__ import annotations

import http.client
import json
import os
import queue
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IMAGES = Path(__file__).parents[1] / "images"
PATIENCE = 15.0


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Listener:
    """A server that listens on a port of loopback."""

    port: int

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = PATIENCE,
    ) -> Answer:
        """One request on a new connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, path, body=data, headers=dict(headers or {}))
            answer = connection.getresponse()
            kept = {key.lower(): value for key, value in answer.getheaders()}
            return Answer(answer.status, kept, answer.read().decode())
        finally:
            connection.close()


class Program(Listener):
    """A running program that says on which port it listens; its output is watched line by line."""

    def __init__(self, command: Sequence[str | Path], env: Mapping[str, str | bytes]) -> None:
        whole: dict[str | bytes, str | bytes] = {
            "PATH": os.environ["PATH"],
            "PORT": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            **env,
        }
        self.process = subprocess.Popen(
            command, env=whole, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )  # type: ignore[call-overload]
        self.lines: list[str] = []
        self._heard: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def _listen(self) -> None:
        for line in self.process.stdout:
            self._heard.put(line.rstrip("\n"))
        self._heard.put(None)

    def line(self, pattern: str) -> str:
        """The first new line in which the pattern occurs."""
        deadline = time.monotonic() + PATIENCE
        while True:
            line = self._heard.get(timeout=max(0.0, deadline - time.monotonic()))
            assert line is not None, f"ended without {pattern!r}; said {self.lines}"
            self.lines.append(line)
            if re.search(pattern, line):
                return line

    def listen(self) -> Program:
        """Wait until it listens."""
        self.port = int(re.search(r"listens on port (\d+)", self.line("listens on port"))[1])
        return self

    def ended(self) -> int:
        """The exit code, once the program has ended; the rest of what it said is in `lines`."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        while (line := self._heard.get(timeout=PATIENCE)) is not None:
            self.lines.append(line)
        return code

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()


@contextmanager
def running(
    command: Sequence[str | Path], env: Mapping[str, str | bytes] | None = None
) -> Iterator[Program]:
    program = Program(command, env or {})
    try:
        yield program
    finally:
        program.kill()


@contextmanager
def agent(role: str, env: Mapping[str, str] | None = None) -> Iterator[Program]:
    """The prober or the recorder."""
    path = {"PYTHONPATH": str(IMAGES / "agent"), **(env or {})}
    with running([sys.executable, "-S", "-m", "agent", role], path) as program:
        yield program.listen()


class Peer:
    """A server on loopback: `talk` gets each new connection, which is closed afterwards."""

    def __init__(self, talk: Callable[[socket.socket], None]) -> None:
        self.connections = 0
        self._talk = talk
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self.socket.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=[connection], daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                self._talk(connection)
            except OSError:
                return

    def close(self) -> None:
        for opened in (self.socket, *self._open):
            try:
                opened.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._accepting.join(PATIENCE)
        self.socket.close()
        for thread in self._threads:
            thread.join(PATIENCE)


@contextmanager
def peer(talk: Callable[[socket.socket], None]) -> Iterator[Peer]:
    server = Peer(talk)
    try:
        yield server
    finally:
        server.close()


def request(connection: socket.socket) -> bytes:
    """A request's head, read to its end."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = connection.recv(4096)
        if not part:
            return head
        head += part
    return head


def says(answer: bytes) -> Callable[[socket.socket], None]:
    """Read a request, and answer with these bytes."""

    def talk(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(answer)

    return talk


def silence(connection: socket.socket) -> None:
    """Listen until the other end has gone, and say nothing."""
    while connection.recv(4096):
        continue


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
