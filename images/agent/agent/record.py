"""What the recorder keeps: bounded in memory and on disk, and still there after a restart."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .audit import refused, whose
from .service import Json

# Entries of one namespace, counted apart by whose deed it was: a Pod that crashes all night does
# not push out what the learner did in the evening, nor a Pod's flood what the controllers did.
MOST = {"people": 1000, "accounts": 500, "nodes": 1000, "components": 2000}
# Those that the API server refused; no flood of them pushes out a deed.
REFUSED = {"people": 500, "accounts": 200, "nodes": 200, "components": 1000}
ALL = 40_000  # entries of all namespaces
LARGEST = 32 << 20  # bytes of the file


@dataclass(frozen=True)
class Kept:
    """An entry as it is kept: as the line that it is on disk."""

    at: float
    id: str
    line: bytes


@dataclass
class Ring:
    """The newest entries of one kind in one namespace; before `since` some may be missing."""

    most: int
    entries: deque[Kept] = field(default_factory=deque)
    since: float | None = None


class Record:
    """Entries by namespace, newest kept; the file holds at least what memory holds."""

    def __init__(self, file: Path, *, largest: int = LARGEST) -> None:
        self.file, self.largest = file, largest
        self._rings: dict[tuple[str, str, bool], Ring] = {}
        self._ids: set[str] = set()
        # Lines for the file; they wait here while the disk is full.
        self._pending: deque[bytes] = deque(maxlen=ALL)
        for entry in self._load():
            self._remember(entry)
        full = len(self) >= ALL
        for ring in self._rings.values():
            # Of a full one nobody knows any more whether something was dropped.
            if ring.entries and (full or len(ring.entries) >= ring.most):
                ring.since = max(ring.entries[0].at, ring.since or 0.0)
        # What an interrupted write left behind goes with it.
        self._rewrite()

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, entry: Json) -> None:
        """Keep an entry in memory; one that is known already is left out."""
        kept = self._remember(entry)
        if kept is not None:
            self._pending.append(kept.line)

    def flush(self) -> None:
        """Keep on disk what was added since. Raises OSError."""
        if not self._pending:
            return
        with self.file.open("ab") as stream:
            stream.writelines(self._pending)
            size = stream.tell()
        self._pending.clear()
        if size > self.largest:
            self._rewrite()

    def entries(self, namespace: str | None, since: float, limit: int) -> list[Json]:
        """The newest `limit` entries after `since`, oldest first; None means every namespace."""
        found = [
            kept
            for (name, *_), ring in self._rings.items()
            if namespace is None or name == namespace
            for kept in ring.entries
            if kept.at > since
        ]
        found.sort(key=lambda kept: kept.at)
        return [json.loads(kept.line) for kept in found[-limit:]]

    def complete(self, namespace: str | None) -> dict[str, float]:
        """From when on no deed is missing, of those of whom one has been dropped."""
        found: dict[str, float] = {}
        for (name, who, said_no), ring in self._rings.items():
            if ring.since is not None and namespace in (None, name):
                kind = f"refused {who}" if said_no else who
                found[kind] = max(ring.since, found.get(kind, 0.0))
        return found

    def _remember(self, entry: Json) -> Kept | None:
        if entry["id"] in self._ids:
            return None
        who, said_no = whose(entry), refused(entry)
        most = (REFUSED if said_no else MOST)[who]
        ring = self._rings.setdefault((entry["namespace"], who, said_no), Ring(most))
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        kept = Kept(entry["at"], entry["id"], line)
        ring.entries.append(kept)
        self._ids.add(kept.id)
        if len(ring.entries) > ring.most:
            self._forget(ring)
        elif len(self) > ALL:
            self._forget(max(self._rings.values(), key=lambda other: len(other.entries)))
        return kept

    def _forget(self, ring: Ring) -> None:
        kept = ring.entries.popleft()
        self._ids.discard(kept.id)
        # A stage may come late: what is dropped need not be older than all that stays.
        ring.since = max(kept.at, ring.since or 0.0)

    def _load(self) -> Iterator[Json]:
        with suppress(FileNotFoundError), self.file.open("rb") as stream:
            for line in stream:
                with suppress(ValueError, KeyError, TypeError):
                    entry = json.loads(line)
                    whose(entry), refused(entry)
                    must = {key: str(entry[key]) for key in ("id", "namespace")}
                    yield {**entry, **must, "at": float(entry["at"])}

    def _rewrite(self) -> None:
        partial = self.file.with_suffix(".partial")
        with partial.open("wb") as stream:
            for ring in self._rings.values():
                stream.writelines(kept.line for kept in ring.entries)
        partial.replace(self.file)
