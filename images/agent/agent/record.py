"""What the recorder keeps: bounded in memory and on disk, and still there after a restart."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .audit import by_people
from .service import Json

# Entries of one namespace. People's are counted apart, so that a Pod that crashes all night does
# not push out what the learner did in the evening.
PEOPLE = 1000
MACHINERY = 2000
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
    """The newest entries of one kind in one namespace."""

    most: int
    entries: deque[Kept] = field(default_factory=deque)


class Record:
    """Entries by namespace, newest kept; the file holds at least what memory holds."""

    def __init__(self, file: Path, *, largest: int = LARGEST) -> None:
        self.file, self.largest = file, largest
        self._rings: dict[tuple[str, bool], Ring] = {}
        self._ids: set[str] = set()
        # Lines for the file; they wait here while the disk is full.
        self._pending: deque[bytes] = deque(maxlen=ALL)
        for entry in self._load():
            self._remember(entry)
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
            for (name, _), ring in self._rings.items()
            if namespace is None or name == namespace
            for kept in ring.entries
            if kept.at > since
        ]
        found.sort(key=lambda kept: kept.at)
        return [json.loads(kept.line) for kept in found[-limit:]]

    def oldest(self, namespace: str | None) -> float | None:
        """When the oldest entry happened that is still kept."""
        return min(
            (
                ring.entries[0].at
                for (name, _), ring in self._rings.items()
                if ring.entries and (namespace is None or name == namespace)
            ),
            default=None,
        )

    def _remember(self, entry: Json) -> Kept | None:
        if entry["id"] in self._ids:
            return None
        people = by_people(entry)
        most = PEOPLE if people else MACHINERY
        ring = self._rings.setdefault((entry["namespace"], people), Ring(most))
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
        self._ids.discard(ring.entries.popleft().id)

    def _load(self) -> Iterator[Json]:
        with suppress(FileNotFoundError), self.file.open("rb") as stream:
            for line in stream:
                with suppress(ValueError, KeyError, TypeError):
                    entry = json.loads(line)
                    by_people(entry)
                    must = {key: str(entry[key]) for key in ("id", "namespace")}
                    yield {**entry, **must, "at": float(entry["at"])}

    def _rewrite(self) -> None:
        partial = self.file.with_suffix(".partial")
        with partial.open("wb") as stream:
            for ring in self._rings.values():
                stream.writelines(kept.line for kept in ring.entries)
        partial.replace(self.file)
