"""The requests to one Service, a line each: bounded in memory and on disk, no failure lost."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

RECENT = 20 * 60.0  # seconds for which a request is a line of its own
MOST_RECENT = 12_000
MOST_OLDER = 4_000  # lines of answers, and as many of failures
ANSWERS = 10.0  # seconds of answers that become one line
RUN = 1.0  # seconds between two failures of one line
LONGEST_RUN = 60.0
GROWTH = 1 << 20  # bytes after which the file is written anew

# at, until, count, seconds, status, version, pod, reason, error
Line = list[Any]
AT, UNTIL, COUNT, SECONDS, STATUS, VERSION, POD, REASON, ERROR = range(9)


class Lines:
    """What is kept of the requests to one Service, in the order in which they ended."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._recent: deque[bytes] = deque()
        self._older: dict[bool, deque[Line]] = {ok: deque() for ok in (True, False)}
        # Waits here while the disk is full.
        self._pending: deque[bytes] = deque(maxlen=MOST_RECENT)
        self._grown = 0
        for line in self._load():
            if line[COUNT] > 1:
                self._older[answered(line)].append(line)
            else:
                self._recent.append(packed(line))
        # What an interrupted write left behind goes.
        if len(self):
            with suppress(OSError):
                self._rewrite()

    def __len__(self) -> int:
        return len(self._recent) + sum(len(lines) for lines in self._older.values())

    def add(self, line: Line) -> None:
        """Keep one request."""
        data = packed(line)
        self._recent.append(data)
        self._pending.append(data)
        if len(self._recent) > MOST_RECENT:
            self._age()

    def thin(self, now: float) -> None:
        """Put together what is old."""
        while self._recent and json.loads(self._recent[0])[AT] < now - RECENT:
            self._age()

    def since(self, since: float, limit: int) -> list[bytes]:
        """The newest lines that ended after `since`, as JSON."""
        found: list[bytes] = []
        for data in reversed(self._recent):
            if len(found) >= limit or ended(json.loads(data)) <= since:
                break
            found.append(data)
        else:
            older = sorted((one for several in self._older.values() for one in several), key=ended)
            for line in reversed(older):
                if len(found) >= limit or ended(line) <= since:
                    break
                found.append(packed(line))
        return found[::-1]

    def flush(self) -> None:
        """Keep on disk what is new. Raises OSError."""
        if not self._pending:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("ab") as stream:
            stream.writelines(one + b"\n" for one in self._pending)
        self._grown += sum(len(one) + 1 for one in self._pending)
        self._pending.clear()
        if self._grown > GROWTH:
            self._rewrite()

    def remove(self) -> None:
        """Take the file away."""
        self.file.unlink(missing_ok=True)

    def _age(self) -> None:
        line: Line = json.loads(self._recent.popleft())
        ok = answered(line)
        older = self._older[ok]
        for before in list(older)[-3:]:
            if alike(before, line, ok):
                before[UNTIL] = max(before[UNTIL], line[UNTIL])
                before[COUNT] += line[COUNT]
                before[SECONDS] = max(before[SECONDS], line[SECONDS])
                before[POD] = before[POD] if before[POD] == line[POD] else None
                return
        older.append(line)
        if len(older) > MOST_OLDER:
            older.popleft()

    def _rewrite(self) -> None:
        partial = self.file.with_suffix(".partial")
        with partial.open("wb") as stream:
            for several in self._older.values():
                stream.writelines(packed(one) + b"\n" for one in several)
            stream.writelines(one + b"\n" for one in self._recent)
        partial.replace(self.file)
        self._grown = 0

    def _load(self) -> Iterator[Line]:
        with suppress(OSError), self.file.open("rb") as stream:
            for data in stream:
                with suppress(ValueError, TypeError, IndexError):
                    line = json.loads(data)
                    ended(line), answered(line), line[ERROR]
                    yield line


def packed(line: Line) -> bytes:
    """A line as it is kept."""
    return json.dumps(line, separators=(",", ":")).encode()


def ended(line: Line) -> float:
    """When the request, or the last of several, had its end."""
    return float(line[UNTIL]) + float(line[SECONDS])


def answered(line: Line) -> bool:
    """Whether a client got what it asked for."""
    return line[STATUS] is not None and 200 <= line[STATUS] < 400


def alike(before: Line, line: Line, ok: bool) -> bool:
    """Whether a request is one more of an older line."""
    if any(before[one] != line[one] for one in (STATUS, VERSION, REASON)):
        return False
    if ok:
        return bool(line[AT] - before[AT] < ANSWERS)
    return bool(line[AT] - before[UNTIL] <= RUN and line[AT] - before[AT] < LONGEST_RUN)
