"""An API server on loopback that lists and watches, as far as the recorder asks it to."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Object = dict[str, Any]
END = {"k8s.io/initial-events-end": "true"}
PLURALS = {"Namespace": "namespaces", "Pod": "pods", "Service": "services",
           "Deployment": "deployments", "ReplicaSet": "replicasets"}  # fmt: skip


def event(kind: str, body: Object) -> bytes:
    return json.dumps({"type": kind, "object": body}).encode() + b"\n"


class FakeApi:
    """Objects by kind; every change is told to the watches that are open."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Object]] = {plural: {} for plural in PLURALS.values()}
        self.log: list[tuple[int, str, bytes]] = []
        self.version = 100
        self.oldest = 0  # the last version that is forgotten
        self.asked: list[str] = []
        self.refuse = False
        self.error: int | None = None  # the code that a watch is answered with, once it is open
        self._watches: list[tuple[str, queue.Queue[bytes | None]]] = []
        self._lock = threading.RLock()

    def put(self, kind: str, name: str, namespace: str = "lab-90", **more: Any) -> Object:
        """Make or change an object."""
        plural = PLURALS[kind]
        uid = more.pop("uid", f"{kind}-{namespace}-{name}")
        with self._lock:
            self.version += 1
            before = self.objects[plural].get(uid)
            metadata = {
                "name": name, "uid": uid, "creationTimestamp": "2026-11-24T12:00:00Z",
                **more.pop("metadata", {}), "resourceVersion": str(self.version),
            }  # fmt: skip
            if kind != "Namespace":
                metadata["namespace"] = namespace
            body = {"metadata": metadata, "spec": {}, **more}
            self.objects[plural][uid] = body
            self._tell(plural, "MODIFIED" if before else "ADDED", body)
            return body

    def delete(self, kind: str, body: Object) -> None:
        """Remove an object."""
        with self._lock:
            self.version += 1
            body["metadata"]["resourceVersion"] = str(self.version)
            del self.objects[PLURALS[kind]][body["metadata"]["uid"]]
            self._tell(PLURALS[kind], "DELETED", body)

    def cut(self) -> None:
        """End every watch, as a restart does."""
        with self._lock:
            for _, waiting in self._watches:
                waiting.put(None)
            self._watches.clear()

    def _tell(self, plural: str, kind: str, body: Object) -> None:
        line = event(kind, body)
        self.log.append((self.version, plural, line))
        for watched, waiting in self._watches:
            if watched == plural:
                waiting.put(line)

    def first(self, plural: str, query: dict[str, str]) -> Any:
        """A new watch, with what it is told first."""
        waiting: queue.Queue[bytes | None] = queue.Queue()
        with self._lock:
            since = query.get("resourceVersion")
            if self.error is not None:
                waiting.put(event("ERROR", {"code": self.error, "message": "because"}))
                waiting.put(None)
            elif since is None:
                assert query["sendInitialEvents"] == "true"
                for body in self.objects[plural].values():
                    waiting.put(event("ADDED", body))
                mark = {"resourceVersion": str(self.version), "annotations": END}
                waiting.put(event("BOOKMARK", {"metadata": mark}))
            elif int(since) < self.oldest:
                gone = {"code": 410, "message": "too old resource version"}
                waiting.put(event("ERROR", gone))
                waiting.put(None)
            else:
                for version, told, line in self.log:
                    if told == plural and version > int(since):
                        waiting.put(line)
            self._watches.append((plural, waiting))
        return waiting


@contextmanager
def served(api: FakeApi) -> Iterator[str]:
    """The API server's address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            plural = parts.path.rpartition("/")[2]
            api.asked.append(self.path)
            if api.refuse:
                self.send_error(503)
                return
            self.send_response(200)
            if "watch" not in query:
                words = parts.path.split("/")
                place = words[words.index("namespaces") + 1] if "namespaces" in words else None
                found = [one for one in api.objects[plural].values()
                         if place in (None, one["metadata"].get("namespace"))]  # fmt: skip
                data = json.dumps({"items": found}).encode()
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                return
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            waiting = api.first(plural, query)
            while (line := waiting.get()) is not None:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        api.cut()
        server.shutdown()
        server.server_close()
        thread.join()
