"""A result: made into a record, written to the results file, and told as text."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from kubelab import columns
from kubelab.api import Cluster
from kubelab.evidence import Evidence
from kubelab.labs import Task
from kubelab.verdict import Judgement, Verdict
from kubelab.words import said

Record = dict[str, Any]

SCHEMA = Path(__file__).parent / "schemas" / "result.schema.json"
HINTS = "hints.jsonl"
WIDTH = 80
LABEL = 11
# A line of the tree whose left column leaves one space alone: marks, kind and name, words.
NARROW = re.compile(r"([│├└─ ]*\S+ \S+(?: \([^)]*\))?) (?! )(.+)")


def record(
    task: Task,
    judgement: Judgement,
    evidence: Evidence,
    *,
    cluster: Cluster | None,
    root: Path,
    student: str = "",
    attempt: int = 1,
    hints_used: int = 0,
) -> Record:
    """The result record of one check, as `result.schema.json` has it."""
    passed = judgement.verdict == Verdict.PASS
    found = "; ".join(part for part in (evidence.found, evidence.message) if part)
    return {
        "schema": 1,
        "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "student": student,
        "lab": task.lab,
        "check": task.id,
        "title": task.sentence,
        "verdict": str(judgement.verdict),
        "points": task.points,
        "earned": task.points if passed else 0,
        "reason": None if passed else evidence.reason,
        "wanted": evidence.wanted or None,
        "found": found or None,
        "why": task.why,
        "look": None if passed else evidence.look or None,
        "chain": list(evidence.chain),
        "events": [
            {
                "age": round(one.age, 1),
                "reason": one.reason,
                "message": one.message,
                "count": one.count,
            }
            for one in evidence.events
        ],
        "near": list(evidence.near),
        "log": list(evidence.log),
        "seconds": round(judgement.seconds, 3),
        "attempt": attempt,
        "hints_used": hints_used,
        "cluster": {
            "uid": cluster.uid if cluster else None,
            "version": cluster.version if cluster else None,
        },
        "course": {"version": course_version(root)},
    }


@lru_cache(maxsize=4)
def course_version(root: Path) -> str:
    """The version of the course in this checkout."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


# The results file


def append(file: Path, records: Iterable[Record]) -> None:
    """Append records, each whole or not at all; half a line left by a crash is removed first."""
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records)
    if not lines:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab+") as out:
        fcntl.flock(out, fcntl.LOCK_EX)
        mend(out)
        out.write(lines.encode())
        out.flush()
        os.fsync(out.fileno())


def mend(out: Any) -> None:
    """Cut a last line without its end, unless it is whole and lacks the newline alone."""
    end = out.seek(0, os.SEEK_END)
    if end == 0:
        return
    start = max(0, end - (1 << 20))
    out.seek(start)
    tail = out.read()
    if tail.endswith(b"\n"):
        return
    cut = tail.rfind(b"\n") + 1
    try:
        json.loads(tail[cut:])
        out.write(b"\n")
    except ValueError:
        out.truncate(start + cut)


def read(file: Path) -> Iterator[Record]:
    """Every whole record of a results file, in order; nothing where there is none."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.split("\n"):  # splitlines would cut at signs that JSON need not escape.
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict):
                yield found


def attempts(file: Path, check: str, student: str = "") -> int:
    """How often a check was made before, by the same student."""
    return tried(read(file))[student, check]


def tried(records: Iterable[Record]) -> Counter[tuple[str, str]]:
    """How often each check was made, by student and task."""
    return Counter((str(one.get("student")), str(one.get("check"))) for one in records)


def hints_used(work: Path, check: str) -> int:
    """How many of a task's hints the learner has seen (`hints.jsonl` of the work folder)."""
    shown = (one for one in read(work / HINTS) if one.get("task") == check)
    return max((int(one.get("rung", 0)) for one in shown), default=0)


# Text


def line(one: Record) -> str:
    """The first line of a result, which can be read alone."""
    verdict = Verdict(one["verdict"])
    if one["reason"] == "not-started":
        return said(f"{one['check']}  not started: ./lab start {one['lab']}")
    left = f"{one['check']}  {said(verdict.words)}"
    points = said(f"{one['earned']} of {one['points']} points")
    return columns.padded(left, WIDTH - columns.width(points)) + points


def text(one: Record) -> str:
    """A result as the learner reads it: 80 columns, no colour needed."""
    if one["reason"] == "not-started":
        return line(one)
    parts = [line(one), columns.filled(said(one["title"]), WIDTH)]
    if one["verdict"] != Verdict.PASS:
        parts += [f"\n{section}" for section in sections(one) if section]
    return "\n".join(parts)


def announcement(task: str, words: str) -> str:
    """What a check says before it disturbs something of the learner's."""
    head = said(f"{task}  first: ")
    return filled(said(words), head)


def sections(one: Record) -> Iterator[str]:
    """The parts of a failure's text below the criterion."""
    if one["wanted"] is None:
        yield labelled("because", said(one["found"] or ""))
    else:
        wanted, found = said(one["wanted"]), said(one["found"] or "")
        yield "\n".join([labelled("wanted", wanted), labelled("found", found)])
    yield "\n".join(tree(one))
    yield "\n".join(
        labelled("near" if not i else "", said(near)) for i, near in enumerate(one["near"])
    )
    yield "\n".join(
        labelled("log" if not i else "", entry, 2) for i, entry in enumerate(one["log"])
    )
    tail = [labelled("why", said(one["why"]))] if one["verdict"] != Verdict.ENV else []
    # A command is pasted as a whole, so it is never broken into lines.
    tail += [label_of("look") + one["look"]] if one["look"] else []
    yield "\n".join(tail)


def tree(one: Record) -> Iterator[str]:
    """The owner chain and the newest Events."""
    for entry in one["chain"]:
        yield f"  {cut(chained(entry), WIDTH - 2)}"
    for event in one["events"]:
        times = said(f" ({event['count']} times)") if event["count"] > 1 else ""
        head = "  " + columns.padded(f"{said(ago(event['age']))}  {event['reason']}", 26) + " "
        yield filled(event["message"] + times, head, 3)


def chained(entry: str) -> str:
    """A line of the tree in the reader's language: names stay, their state is told."""
    narrow = NARROW.fullmatch(entry)
    return f"{narrow[1]} {said(narrow[2])}" if narrow else said(entry)


def label_of(label: str) -> str:
    """A label in its column."""
    return "  " + columns.padded(said(label), LABEL - 2)


def labelled(label: str, words: str, lines: int | None = None) -> str:
    """A label and words beside it, wrapped under each other, in at most so many lines."""
    return filled(words, label_of(label), lines)


def filled(words: str, head: str, lines: int | None = None) -> str:
    """Words wrapped in a column beside a head."""
    rest = " " * columns.width(head)
    return columns.filled(words, WIDTH, head, rest, lines=lines, break_on_hyphens=False)


def cut(words: str, width: int) -> str:
    """Words that fit, with a mark where they were cut."""
    return columns.cut(words, width)


def ago(seconds: float) -> str:
    """How long ago, as people say it."""
    for size, unit in ((86400, "d"), (3600, "h"), (120, "min")):
        if seconds >= size:
            return f"{seconds // (60 if unit == 'min' else size):.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def total(records: Iterable[Record]) -> str:
    """The points of all results in one line."""
    several = list(records)
    earned = sum(one["earned"] for one in several)
    return said(f"{earned} of {sum(one['points'] for one in several)} points")
