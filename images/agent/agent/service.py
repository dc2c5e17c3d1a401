"""JSON over HTTP: one server for both programs."""

from __future__ import annotations

import json
import socketserver
import sys
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl

Json = dict[str, Any]
# What a path does: given the query or the JSON body, the status and the answer.
# An answer that is JSON already is sent as it is.
Route = Callable[[Json], tuple[int, Json | bytes]]

LARGEST = 64 * 1024  # bytes of a question


class BadQuestionError(Exception):
    """The question can't be understood; the sentence says why."""


class Handler(BaseHTTPRequestHandler):
    """One connection, one question, one answer."""

    protocol_version = "HTTP/1.1"
    timeout = 5.0
    server: Service

    def handle(self) -> None:
        """Answer one request; who asks may go away at any time."""
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def answer(self) -> None:
        """Find the route and answer in JSON."""
        path, _, query = self.path.partition("?")
        path = path.rstrip("/") or "/"
        # What changes something is for one method: `POST /forget`.
        route = self.server.routes.get(f"{self.command} {path}") or self.server.routes.get(path)
        if route is None:
            self.send(404, {"error": f"There is nothing at {path}."})
            return
        body: Json | bytes
        try:
            status, body = route(self.question(query))
        except BadQuestionError as error:
            status, body = 400, {"error": str(error)}
        self.send(status, body)

    do_GET = do_POST = answer  # noqa: N815 (the names that http.server looks for)

    def question(self, query: str) -> Json:
        """The body where there is one, else the query."""
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > LARGEST:
            raise BadQuestionError(f"A question has at most {LARGEST} bytes.")
        body = self.rfile.read(int(length))
        if not body.strip():
            return dict(parse_qsl(query, keep_blank_values=True))
        try:
            question = json.loads(body)
        except ValueError:
            raise BadQuestionError("The question is no JSON.") from None
        if not isinstance(question, dict):
            raise BadQuestionError("The question is no JSON object.")
        return question

    def send(self, status: int, body: Json | bytes) -> None:
        """Send a whole answer and close the connection."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def version_string(self) -> str:
        """The Server header."""
        return "kubelab-agent"

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: a question is no news, and a mistake is `handle_error`'s."""


class Service(socketserver.ThreadingTCPServer):
    """A server with a route for each path and a thread for each connection.

    Not http.server's own, which looks its name up in DNS before it listens.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, port: int, routes: Mapping[str, Route], ended: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(("0.0.0.0", port), Handler)
        self.routes = routes
        self.ended = ended

    def handle_error(self, request: object, client_address: object) -> None:
        """A mistake in one connection is one line, and no other connection's business."""
        print(f"{client_address}: {sys.exc_info()[1]!r}", flush=True)
