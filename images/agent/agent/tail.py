"""Follows a log that is rotated: no line twice, none lost while one older file is kept."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 20
HEAD = 512
LONGEST = 1 << 20  # bytes of one line; a longer one is left out


@dataclass(frozen=True)
class Position:
    """A place in a log: the file's inode, and bytes from its beginning.

    `head` is a checksum of how the file begins: a new file may get the inode of one that is gone.
    """

    inode: int
    offset: int
    head: int


class Tail:
    """The new lines of `file`, which may be renamed, made anew or cut to nothing at any time."""

    def __init__(self, file: Path, saved: Path) -> None:
        self.file = file
        self._saved = saved
        self._kept: tuple[int, int] | None = None
        self._stream: BinaryIO | None = None
        self._inode = 0
        self._rest = b""
        self._offset = 0  # of the first byte that is not yet part of a whole line

    def lines(self) -> Iterator[bytes]:
        """Every whole line that was written since the last call; raises OSError."""
        if self._stream is None:
            self._resume()
        while True:
            yield from self._read()
            if not self._turned():
                return
            # What was written between the last read and the rotation.
            yield from self._read()
            self._open(self.file, 0)

    def behind(self) -> int | None:
        """Bytes that are written and not read; None where the log is not there."""
        try:
            found = self.file.stat()
        except OSError:
            return None
        same = found.st_ino == self._inode and found.st_size >= self._offset + len(self._rest)
        return found.st_size - self._offset if same else found.st_size

    def save(self) -> None:
        """Keep the position, for the next process."""
        if self._stream is None or self._kept == (self._inode, self._offset):
            return
        position = Position(self._inode, self._offset, head(self._stream, self._offset))
        partial = self._saved.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(position)))
        partial.replace(self._saved)
        self._kept = (self._inode, self._offset)

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _resume(self) -> None:
        """Go on where the last process stopped, also if the log was rotated since."""
        position = self._position()
        for file in (self.file, *sorted(self.file.parent.glob(f"{self.file.stem}-*"))):
            if position is not None and file.exists() and file.stat().st_ino == position.inode:
                stream = self._open(file, position.offset)
                whole = file.stat().st_size >= position.offset
                if whole and head(stream, position.offset) == position.head:
                    return
        self._open(self.file, 0)

    def _position(self) -> Position | None:
        try:
            return Position(**json.loads(self._saved.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _open(self, file: Path, offset: int) -> BinaryIO:
        stream = file.open("rb")
        stream.seek(offset)
        self.close()
        self._stream, self._rest, self._offset = stream, b"", offset
        self._inode = os.fstat(stream.fileno()).st_ino
        return stream

    def _turned(self) -> bool:
        """Whether the name leads to another file now, or to a shorter one."""
        try:
            found = self.file.stat()
        except FileNotFoundError:
            return False  # Between the rename and the new file.
        return found.st_ino != self._inode or found.st_size < self._offset + len(self._rest)

    def _read(self) -> Iterator[bytes]:
        assert self._stream is not None
        while part := self._stream.read(CHUNK):
            *whole, self._rest = (self._rest + part).split(b"\n")
            for line in whole:
                self._offset += len(line) + 1
                yield line
            if len(self._rest) > LONGEST:
                self._offset += len(self._rest)
                self._rest = b""


def head(stream: BinaryIO, offset: int) -> int:
    """A checksum of the file's beginning, of what stands before `offset`."""
    return zlib.crc32(os.pread(stream.fileno(), min(offset, HEAD), 0))
