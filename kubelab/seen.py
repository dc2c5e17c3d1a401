"""Values read from the cluster that remember what a plain `assert` compared them with."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

WORDS = {"<": "below", "<=": "at most", ">": "above", ">=": "at least", "!=": "not", "in": "one of"}


def plain(value: Any) -> str:
    """A value as a person reads it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(plain(one) for one in value) or "none"
    return str(value)


@dataclass(frozen=True)
class Fact:
    """What a value says, about which object, and what it means when it is wrong.

    `reason` gives the reason id for the value found; `given` marks what the learner wrote
    (a spec, a label): it does not change by waiting. `final` marks an outcome that waiting does
    not change either. `show` words a value; `found` words what was found, where that says more.
    `look` is the command to paste, where the reason's own does not help.
    """

    subject: str
    label: str
    reason: Callable[[Any], str]
    given: bool = False
    show: Callable[[Any], str] | None = None
    final: bool = False
    found: str | None = None
    look: str = ""

    def words(self, value: Any) -> str:
        """The label and the value, as one phrase of `wanted` and `found`."""
        return self.show(value) if self.show else f"{self.label} {plain(value)}"


@dataclass(frozen=True)
class Row:
    """One comparison: the fact, what was wanted and found in words, and whether it held."""

    fact: Fact
    wanted: str
    found: str
    value: Any
    held: bool


@dataclass
class Log:
    """The comparisons of one run of a check, in order."""

    rows: list[Row] = field(default_factory=list)


class Seen:
    """A value with its fact; every comparison is written to the log."""

    __slots__ = ("_log", "fact", "value")
    __hash__ = None  # type: ignore[assignment]  # Compared by value, so never a key.

    def __init__(self, value: Any, fact: Fact, log: Log) -> None:
        self.value = value
        self.fact = fact
        self._log = log

    def _compare(self, sign: str, other: Any, test: Callable[[Any, Any], Any]) -> bool:
        wanted = other.value if isinstance(other, Seen) else other
        try:
            held = bool(test(self.value, wanted))
        except TypeError:
            # An absent field is "not there yet": it satisfies no order and contains nothing.
            held = False
        if sign == "==":
            words = self.fact.words(wanted)
        else:
            words = f"{self.fact.label} {WORDS[sign]} {plain(wanted)}"
        self._note(words, held)
        return held

    def _note(self, wanted: str, held: bool) -> None:
        found = self.fact.found or self.fact.words(self.value)
        row = Row(self.fact, wanted, found, self.value, held)
        self._log.rows.append(row)

    def __eq__(self, other: object) -> bool:
        return self._compare("==", other, operator.eq)

    def __ne__(self, other: object) -> bool:
        return self._compare("!=", other, operator.ne)

    def __lt__(self, other: Any) -> bool:
        return self._compare("<", other, operator.lt)

    def __le__(self, other: Any) -> bool:
        return self._compare("<=", other, operator.le)

    def __gt__(self, other: Any) -> bool:
        return self._compare(">", other, operator.gt)

    def __ge__(self, other: Any) -> bool:
        return self._compare(">=", other, operator.ge)

    def among(self, choices: Any) -> bool:
        """Whether the value is one of `choices` (`in` would hide the comparison)."""
        return self._compare("in", choices, lambda value, several: value in several)

    def __bool__(self) -> bool:
        held = bool(self.value)
        self._note(self.fact.words(True), held)
        return held

    def __iter__(self) -> Iterator[Any]:
        return iter(self.value or ())

    def __len__(self) -> int:
        return len(self.value or ())

    def __str__(self) -> str:
        return plain(self.value)

    def __repr__(self) -> str:
        return repr(self.value)
