"""The recorder: remembers from the audit log who did what, when, for longer than the log does."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from . import audit
from .questions import number, optional
from .record import Record
from .service import Json, Service
from .tail import Tail

PAUSE = 0.5  # seconds between two looks; every question looks first, so no answer is late
LATE = 10.0  # seconds without a look after which the recorder is not well
MOST = 5000  # entries of one answer


class Recorder:
    """The log, the record, and the thread that brings one to the other."""

    def __init__(self, log: Path, state: Path) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self._tail = Tail(log, state / "audit.position.json")
        self._record = Record(state / "audit.jsonl")
        self._lock = threading.Lock()
        self._seen = 0.0
        self._error: str | None = "The log was not read yet."

    def follow(self) -> None:
        """Read for as long as the process lives."""
        while True:
            self.catch_up()
            time.sleep(PAUSE)

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
            oldest = self._record.oldest(namespace)
        return 200, {"entries": entries, "oldest": oldest}

    def healthz(self, _: Json) -> tuple[int, Json]:
        """Whether the log is read, and how far behind: in seconds and in bytes."""
        lag = time.monotonic() - self._seen if self._seen else None
        well = self._error is None and lag is not None and lag < LATE
        return 200 if well else 503, {
            "ok": well,
            "role": "recorder",
            "lag_seconds": None if lag is None else round(lag, 3),
            "lag_bytes": self._tail.behind(),
            "entries": len(self._record),
            "error": self._error,
        }


def service(port: int, log: Path, state: Path) -> Service:
    """The recorder's server; it follows the log from now on."""
    recorder = Recorder(log, state)
    threading.Thread(target=recorder.follow, daemon=True).start()
    return Service(port, {"/healthz": recorder.healthz, "/audit": recorder.audit})
