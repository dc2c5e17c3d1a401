"""Columns of a terminal: a Chinese character takes two, and a line may end after it."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterator
from typing import Any

# Signs that no line begins with, and signs that no line ends with.
CLOSING = "，。、；：？！）》」』”’…,.;:?!)]}"
OPENING = "（《「『“‘([{"
ATOM = re.compile(r"\s+|[^\s]")


def columns(sign: str) -> int:
    """How many columns one character takes; what is ambiguous takes one, as terminals draw it."""
    if unicodedata.combining(sign):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


def width(text: str) -> int:
    """How many columns a text takes."""
    return sum(map(columns, text))


def padded(text: str, size: int) -> str:
    """A text with spaces after it, up to a number of columns."""
    return text + " " * (size - width(text))


def cut(text: str, size: int, mark: str = " ...") -> str:
    """A text that fits into a number of columns, with a mark where it was cut."""
    if width(text) <= size:
        return text
    return fitting(text, size - width(mark)) + mark


def fitting(text: str, size: int) -> str:
    """The longest beginning of a text that takes at most so many columns."""
    taken = 0
    for at, sign in enumerate(text):
        taken += columns(sign)
        if taken > size:
            return text[:at]
    return text


def filled(
    text: str,
    size: int,
    first: str = "",
    rest: str = "",
    *,
    lines: int | None = None,
    mark: str = " ...",
    **how: Any,
) -> str:
    """A text in lines of at most `size` columns; `how` is for `textwrap`, which breaks English.

    `first` and `rest` stand before the first line and the others, `lines` is the most of them.
    """
    if width(first + text) == len(first + text):
        return textwrap.fill(
            text,
            size,
            initial_indent=first,
            subsequent_indent=rest,
            max_lines=lines,
            placeholder=mark,
            **how,
        )
    made = list(broken(text, size, first, rest))
    if lines is not None and len(made) > lines:
        made = [*made[: lines - 1], fitting(made[lines - 1], size - width(mark)).rstrip() + mark]
    return "\n".join(made)


def broken(text: str, size: int, first: str, rest: str) -> Iterator[str]:
    """The lines of a text that holds wide characters."""
    line, empty = first, True
    for atom in atoms(text):
        if empty and atom.isspace():
            continue
        if width(line + atom.rstrip()) > size and not empty:
            yield line.rstrip()
            line, empty = rest, True
            if atom.isspace():
                continue
        while width(line + atom.rstrip()) > size:
            # Longer than a whole line: a path, or a name.
            part = fitting(atom, max(1, size - width(line)))
            yield line + part
            line, atom = rest, atom[len(part) :]
        line, empty = line + atom, False
    yield line.rstrip()


def atoms(text: str) -> Iterator[str]:
    """The pieces of a text between which a line may end: words, spaces, single wide characters."""
    piece = ""
    for sign in ATOM.findall(text):
        if piece and ends_between(piece, sign):
            yield piece
            piece = ""
        piece += re.sub(r"\s", " ", sign)
    if piece:
        yield piece


def ends_between(before: str, after: str) -> bool:
    """Whether a line may end between two pieces of a text."""
    if before[-1] == " " or after.isspace():
        return True
    if after in CLOSING or before[-1] in OPENING:
        return False
    return columns(before[-1]) == 2 or columns(after) == 2
