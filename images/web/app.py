"""The shop's page: one small web server that Kubernetes can start, ask, break and stop.

README.md beside this file is its contract: every path, every environment variable, every exit code.
"""

from __future__ import annotations

import html
import http.client
import json
import math
import os
import select
import signal
import socket
import socketserver
import sys
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

Fields = dict[str, object]

NEVER_READY = {"3.0"}
ON_TERM = ("exit", "finish", "drain", "ignore")
DRAIN = 5.0  # seconds for which `drain` still accepts
LONGEST = 30.0  # seconds that /slow takes at most
AWAY = 2.0  # seconds after which a store or a backend counts as away
LARGEST = 64 * 1024  # bytes of a file, a request body or a backend's answer
MOST_HOPS = 5  # backends that call each other in a row

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
  :root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }}
  body {{ max-width: 40rem; margin: 3rem auto; padding: 0 1rem; }}
  th {{ text-align: left; vertical-align: top; padding-right: 2rem; font-weight: normal; }}
  td {{ overflow-wrap: anywhere; font-family: ui-monospace, monospace; }}
</style>
<h1>{title}</h1>
<table>
{rows}
</table>
</html>
"""


class PageError(Exception):
    """What a path can't do now: an HTTP status and one sentence for the reader."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def log(message: str) -> None:
    """Print one line for `kubectl logs`."""
    print(message, flush=True)


# Configuration: a value that makes no sense is told once and replaced, so the server always starts.


def version() -> str:
    """The version that the image was built with."""
    file = Path(__file__).with_name("version")
    return file.read_text(encoding="utf-8").strip() if file.is_file() else "unknown"


def identity() -> dict[str, str | None]:
    """Who answers: the facts that every answer tells."""
    return {
        "name": setting("NAME", "web"),
        "version": version(),
        "pod": setting("POD_NAME") or socket.gethostname(),
        "node": setting("NODE_NAME") or None,
    }


def setting(name: str, default: str = "") -> str:
    """An environment variable without surrounding space; the default where it is empty."""
    return os.environ.get(name, "").strip() or default


def port(name: str, default: int) -> int:
    """A port number; 0, which lets the system choose, only where this server listens itself."""
    text = setting(name, str(default))
    if text.isascii() and text.isdigit() and int(text) < 65536 and (int(text) or name == "PORT"):
        return int(text)
    # A Service named `store` makes Kubernetes set STORE_PORT to tcp://ADDRESS:PORT in every Pod.
    log(f"{name} is {text!r}, which is no port number: using {default}")
    return default


def on_term() -> str:
    """What SIGTERM does."""
    choice = setting("ON_TERM", "exit").lower()
    if choice in ON_TERM:
        return choice
    log(f"ON_TERM is {choice!r}, which is none of {', '.join(ON_TERM)}: using exit")
    return "exit"


# What the paths do.


def slow(query: dict[str, list[str]]) -> Fields:
    """/slow?s=5: answer after that many seconds."""
    text = query.get("s", ["5"])[-1]
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if math.isnan(seconds):
        raise PageError(400, f"s is {text!r}, which is no number of seconds.")
    seconds = min(max(seconds, 0.0), LONGEST)
    time.sleep(seconds)
    return {"slept": seconds}


def visits(query: dict[str, list[str]], store_port: int) -> Fields:
    """/visits?visitor=KEY: count this visitor in redis."""
    visitor = query.get("visitor", ["everybody"])[-1]
    if not 0 < len(visitor) <= 64:
        raise PageError(400, "A visitor's key has 1 to 64 characters.")
    host = setting("STORE_HOST")
    if not host:
        raise PageError(503, "STORE_HOST is not set, so there is no store to count in.")
    store = f"{host}:{store_port}"
    try:
        with socket.create_connection((host, store_port), timeout=AWAY) as connection:
            count = increment(connection, f"visits:{visitor}".encode(errors="replace"))
    except (OSError, UnicodeError) as error:
        raise PageError(503, f"The store {store} is away: {reason(error)}.") from None
    except ValueError as error:
        raise PageError(503, f"The store {store} refuses to count: {error}.") from None
    return {"visitor": visitor, "count": count, "store": store}


def increment(connection: socket.socket, key: bytes) -> int:
    """Redis' INCR in its own protocol (RESP); raises ValueError for any answer but a number."""
    connection.sendall(b"*2\r\n$4\r\nINCR\r\n$%d\r\n%s\r\n" % (len(key), key))
    with connection.makefile("rb") as answer:
        line = answer.readline(512).decode(errors="replace").strip()
    if not line:
        raise ConnectionError("it closed the connection")
    if not line.startswith(":"):
        raise ValueError(f"it says {line.lstrip('-')!r}")
    return int(line[1:])


def backend(hops: int) -> Fields:
    """/backend: look BACKEND_URL up, connect, ask, and embed what it says."""
    url = setting("BACKEND_URL")
    if not url:
        raise PageError(502, "BACKEND_URL is not set, so there is no backend to call.")
    if hops >= MOST_HOPS:
        raise PageError(502, f"The backends call each other in a circle, {MOST_HOPS} in a row.")
    try:
        parts = urlsplit(url)
        host, number = parts.hostname, parts.port
    except ValueError:
        host, number = None, None
    if not host or parts.scheme != "http":
        raise PageError(502, f"BACKEND_URL is {url!r}, which is no http:// address.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Accept": "application/json", "Connection": "close", "X-Hops": str(hops + 1)}
    try:
        with closing(http.client.HTTPConnection(host, number or 80, timeout=AWAY)) as connection:
            connection.request("GET", target, headers=headers)
            answer = connection.getresponse()
            status, body = answer.status, answer.read(LARGEST)
    except (OSError, UnicodeError, http.client.HTTPException) as error:
        raise PageError(502, f"The backend {url} does not answer: {reason(error)}.") from None
    if status != 200:
        raise PageError(502, f"The backend {url} answers with status {status}.")
    try:
        return {"backend": json.loads(body), "backend_url": url}
    except ValueError:
        raise PageError(502, f"The backend {url} answers, but not in JSON.") from None


def menu() -> str:
    """/file: the text of the file FILE."""
    file = setting("FILE", "/data/menu.txt")
    try:
        with open(file, "rb") as stream:
            return stream.read(LARGEST).decode(errors="replace")
    except FileNotFoundError:
        raise PageError(404, f"There is no file {file}.") from None
    except (OSError, ValueError) as error:
        raise PageError(500, f"The file {file} can't be read: {reason(error)}.") from None


def reason(error: Exception) -> str:
    """An operating system's error in words, without its number."""
    if isinstance(error, TimeoutError):
        return f"no answer within {AWAY:g} s"
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(words).rstrip(".")


# The server.


class Handler(BaseHTTPRequestHandler):
    """One connection, one request, one answer."""

    protocol_version = "HTTP/1.1"
    timeout = 5.0  # A connection that asks nothing must not hold up `finish` for long.
    server: Server

    def handle(self) -> None:
        """Answer one request; who asks may go away at any time."""
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def answer(self) -> None:
        """Route the request, and say what went wrong where something did."""
        self.discard_body()
        path, _, query = self.path.partition("?")
        route = path.rstrip("/")
        fields: Fields = {**self.server.identity, "path": path}
        try:
            if route == "/file":
                self.send(200, menu(), "text/plain")
                return
            status, more = self.ask(route, parse_qs(query))
            fields |= more
        except PageError as error:
            status = error.status
            if route == "/file":
                self.send(status, f"{error}\n", "text/plain")
                return
            fields["error"] = str(error)
        if self.wants_page():
            self.send(status, page(fields), "text/html")
        else:
            self.send(status, json.dumps(fields) + "\n", "application/json")

    do_GET = do_HEAD = do_POST = answer  # noqa: N815 (the names that http.server looks for)

    def ask(self, route: str, query: dict[str, list[str]]) -> tuple[int, Fields]:
        """The status of a path and what it adds to the answer."""
        if route == "/healthz":
            return (200 if self.server.healthy else 503), {"healthy": self.server.healthy}
        if route == "/fail":
            self.server.healthy = False
            log("/fail: from now on /healthz answers 503")
            return 200, {"healthy": False}
        if route == "/slow":
            return 200, slow(query)
        if route == "/visits":
            return 200, visits(query, self.server.store_port)
        if route == "/backend":
            hops = self.headers.get("X-Hops", "0")
            return 200, backend(int(hops) if hops.isascii() and hops.isdigit() else 0)
        return 200, {}

    def discard_body(self) -> None:
        """Read what was sent: closing a socket with unread bytes would reset the connection."""
        length = self.headers.get("Content-Length", "0")
        if length.isascii() and length.isdigit():
            self.rfile.read(min(int(length), LARGEST))

    def wants_page(self) -> bool:
        """Whether a browser asks."""
        return "text/html" in self.headers.get("Accept", "")

    def send(self, status: int, text: str, kind: str) -> None:
        """Send a whole answer and close the connection."""
        body = text.encode(errors="replace")
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        for name, value in self.server.identity.items():
            self.send_header(f"X-Web-{name.title()}", header(value))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def version_string(self) -> str:
        """The Server header."""
        return "kubelab-web"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line a request; a probe that succeeds is no news."""
        route = self.path.partition("?")[0].rstrip("/") if hasattr(self, "path") else ""
        if not (route == "/healthz" and int(code) == 200):
            super().log_request(int(code), size)

    def log_message(self, format: str, *args: object) -> None:
        """Log to standard output, with the asking address."""
        log(f"{self.address_string()} {format % args}")


class Server(socketserver.ThreadingTCPServer):
    """A thread for each connection; `server_close` waits for those that are at work.

    Not http.server's own, which looks its name up in DNS before it listens.
    """

    allow_reuse_address = True
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, number: int, store_port: int, identity: dict[str, str | None]) -> None:
        super().__init__(("0.0.0.0", number), Handler)
        self.identity, self.store_port = identity, store_port
        self.healthy = identity["version"] not in NEVER_READY

    def handle_error(self, request: object, client_address: object) -> None:
        """A mistake in one connection is one line, and no other connection's business."""
        log(f"{client_address}: {sys.exc_info()[1]!r}")

    def accept_no_more(self) -> None:
        """Refuse new connections; who waited in the queue already is still answered."""
        self.shutdown()
        for _ in range(self.request_queue_size):  # As many as were waiting, not who comes now.
            if select.select([self.socket], [], [], 0)[0]:
                self.handle_request()
        self.socket.close()


def page(fields: Fields) -> str:
    """The answer for people."""
    rows = "\n".join(
        f"  <tr><th>{html.escape(key)}</th><td>{html.escape(told(value))}</td></tr>"
        for key, value in fields.items()
    )
    return PAGE.format(title=html.escape(f"{fields['name']} {fields['version']}"), rows=rows)


def told(value: object) -> str:
    """A field's value as a person reads it."""
    return value if isinstance(value, str) else json.dumps(value)


def header(value: str | None) -> str:
    """A value that fits into a header line."""
    return "".join(sign if " " <= sign <= "~" else "?" for sign in value or "")


def wait_and_stop(server: Server, choice: str) -> None:
    """Wait for signals and do what ON_TERM says; returns when the server has finished.

    The first process of a container gets no signal that it does not ask for. These are blocked and
    waited for, so none is lost, and none interrupts an answer.
    """
    while True:
        number = signal.sigwait({signal.SIGTERM, signal.SIGINT})
        name = signal.Signals(number).name
        if number == signal.SIGINT or choice == "exit":
            log(f"{name}: exit at once")
            os._exit(0)
        if choice == "ignore":
            log(f"{name}: ignored")
            continue
        if choice == "drain":
            log(f"{name}: accepting for {DRAIN:g} s more, then finish")
            if signal.sigtimedwait({signal.SIGINT}, DRAIN):
                os._exit(0)
        server.accept_no_more()
        log(f"{name}: accepting no more, finishing what is in flight")
        server.server_close()
        log("finished")
        return


def main() -> int:
    """Serve until a signal ends it; the exit code."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    choice, number, store_port = on_term(), port("PORT", 8080), port("STORE_PORT", 6379)
    try:
        server = Server(number, store_port, identity())
    except OSError as error:
        log(f"can't listen on port {number}: {reason(error)}")
        return 1
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    who = server.identity
    log(
        f"{who['name']} {who['version']} listens on port {server.server_address[1]}, "
        f"pod {who['pod']}, node {who['node'] or 'unknown'}, on SIGTERM: {choice}"
    )
    wait_and_stop(server, choice)
    return 0


if __name__ == "__main__":
    sys.exit(main())
