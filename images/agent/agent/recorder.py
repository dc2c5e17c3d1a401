"""The recorder: remembers who did what, what became of Pods, and what a small load was answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from . import audit
from .api import Api
from .ask_dns import resolver
from .labs import Labs
from .load import Load
from .questions import number, optional, text
from .record import Record
from .service import Json, Service
from .tail import Tail

PAUSE = 0.5  # seconds between two looks; every question looks first, so no answer is late
LATE = 10.0  # seconds without a look after which the recorder is not well
SILENT = 60.0  # seconds without the API server after which it is not well either
MOST = 7000  # entries of one answer; of one namespace 6400 are kept
MOST_LINES = 40_000


class Recorder:
    """The log, the record, and the thread that brings one to the other."""

    def __init__(self, log: Path, state: Path) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self._tail = Tail(log, state / "audit.position.json")
        self._record = Record(state / "audit.jsonl")
        self._lock = threading.Lock()
        self._seen = 0.0
        self._error: str | None = "The log was not read yet."
        self.labs = Labs(state)
        self.load: Load | None = None

    def follow(self) -> None:
        """Read, and keep what is new, for as long as the process lives."""
        while True:
            self.catch_up()
            self.flush()
            time.sleep(PAUSE)

    def follow_labs(self, api: Api, dns: str) -> None:
        """Follow the cluster, and put the load on it."""
        self.labs.follow(api)
        self.load = Load(self.labs.targets, self.labs.add, dns)
        self.load.start()

    def flush(self) -> None:
        """Keep the labs' records on disk; a full disk is told, and tried again."""
        try:
            self.labs.flush()
        except OSError as error:
            print(f"{error.filename}: {error.strerror}", flush=True)

    def catch_up(self) -> None:
        """Read what was written since the last look."""
        with self._lock:
            try:
                self._read()
            except OSError as error:
                words = f"{error.filename}: {error.strerror}" if error.filename else str(error)
                if words != self._error:
                    print(words, flush=True)
                self._error = words
            else:
                self._seen, self._error = time.monotonic(), None

    def _read(self) -> None:
        for line in self._tail.lines():
            entry = audit.entry(line)
            if entry is not None:
                self._record.add(entry)
        self._record.flush()
        # After the entries: whoever is stopped in between reads some again, and knows them.
        self._tail.save()

    def close(self) -> None:
        """Let go of the log."""
        self._tail.close()

    def audit(self, question: Json) -> tuple[int, Json]:
        """/audit?namespace=&since=&limit=: what happened there, oldest first."""
        namespace = optional(question, "namespace")
        since = number(question, "since", 0, 0, 1e11)
        limit = int(number(question, "limit", 500, 1, MOST))
        self.catch_up()
        with self._lock:
            if self._error:
                return 503, {"error": self._error}
            entries = self._record.entries(namespace, since, limit)
            complete = self._record.complete(namespace)
        return 200, {"entries": entries, "complete": complete}

    def pods(self, question: Json) -> tuple[int, Json]:
        """/pods?namespace=: every Pod that was seen there."""
        return self._told(question, self.labs.pods)

    def deployments(self, question: Json) -> tuple[int, Json]:
        """/deployments?namespace=: every Deployment that was seen there."""
        return self._told(question, self.labs.deployments)

    def requests(self, question: Json) -> tuple[int, Json | bytes]:
        """/requests?namespace=&service=&since=&limit=: what the load was answered."""
        namespace, service = text(question, "namespace"), text(question, "service")
        since = number(question, "since", 0, 0, 1e11)
        limit = int(number(question, "limit", 20_000, 1, MOST_LINES))
        return 200, self.labs.requests(namespace, service, since, limit)

    def forget(self, question: Json) -> tuple[int, Json]:
        """POST /forget?namespace=: begin the records of a namespace anew."""
        return 200, {"forgotten": self.labs.forget(text(question, "namespace"))}

    def _told(self, question: Json, tell: Callable[[str], Json]) -> tuple[int, Json]:
        namespace = text(question, "namespace")
        if not self.labs.complete:
            return 503, {"error": self.labs.error or "The cluster was not read yet."}
        return 200, tell(namespace)

    def healthz(self, _: Json) -> tuple[int, Json]:
        """Whether log and cluster are followed, and how far behind: in seconds and in bytes."""
        lag = time.monotonic() - self._seen if self._seen else None
        well = self._error is None and lag is not None and lag < LATE
        return 200 if well and self._follows() else 503, {
            "ok": well and self._follows(),
            "role": "recorder",
            "lag_seconds": None if lag is None else round(lag, 3),
            "lag_bytes": self._tail.behind(),
            "entries": len(self._record),
            "error": self._error or self.labs.error,
            **self.labs.counts(),
            "load": self._load(),
        }

    def _follows(self) -> bool:
        """Whether the cluster is read, or was until a moment ago."""
        now = time.monotonic()
        return self.labs.complete and not any(
            one.error and now - one.failing_since > SILENT for one in self.labs.followers
        )

    def _load(self) -> Json | None:
        load = self.load
        return load and {
            "services": load.services,
            "asked": load.asked,
            "left_out": load.left_out[:20],
            "every": round(load.every, 3),
        }


def service(port: int, log: Path, state: Path, api: Api | None) -> Service:
    """The recorder's server; it follows the log, and the cluster that it is in, from now on."""
    recorder = Recorder(log, state)
    if api is not None:
        recorder.follow_labs(api, resolver())
    threading.Thread(target=recorder.follow, daemon=True).start()
    routes = {
        "/healthz": recorder.healthz,
        "/audit": recorder.audit,
        "/pods": recorder.pods,
        "/deployments": recorder.deployments,
        "/requests": recorder.requests,
        "POST /forget": recorder.forget,
    }
    return Service(port, routes, ended=recorder.flush)
