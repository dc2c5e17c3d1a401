"""The ladder of three hints of a task: which one comes next, and what was seen (`hints.jsonl`)."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from kubelab import labs, report
from kubelab.report import Record
from kubelab.site import Site
from kubelab.verdict import Verdict
from kubelab.words import said

FILE = report.HINTS


@dataclass(frozen=True)
class Shown:
    """The hints of a task up to a rung; `found` is what its last check found, if it failed."""

    task: str
    rung: int
    hints: tuple[str, ...]
    of: int
    found: str | None = None

    @property
    def last(self) -> bool:
        """Whether there is no further hint."""
        return self.rung == self.of


def following(site: Site, task_id: str, *, again: bool = False) -> Shown:
    """The task's next hint after those before it; `again` shows them without a new one.

    What is shown is recorded. Raises UsageError for a task that does not exist.
    """
    lab = labs.find(site.root, task_id)
    task = lab.task(f"{lab.number}.{task_id.partition('.')[2]}")
    seen = min(report.hints_used(site.work, task.id), len(task.hints))
    rung = max(seen, 1) if again else min(seen + 1, len(task.hints))
    if rung > seen:
        keep(site, [task.id], rung)
    found = last_found(report.read(site.results), task.id)
    return Shown(task.id, rung, task.hints[:rung], len(task.hints), found)


def keep(site: Site, tasks: Iterable[str], rung: int, solution: str | None = None) -> None:
    """Record which hint was shown; `solution` says how the reference was used, with rung 4."""
    more = {"solution": solution} if solution else {}
    report.append(
        site.work / FILE,
        [{"at": time.time(), "task": task, "rung": rung, **more} for task in tasks],
    )


def solution_seen(site: Site, lab: labs.Lab, tasks: Iterable[str], how: str) -> None:
    """Record that the reference of tasks was shown (`diff`) or applied (`solve`)."""
    for task in tasks:
        keep(site, [task], len(lab.task(task).hints) + 1, how)


def last_found(records: Iterable[Record], task: str) -> str | None:
    """What the newest check of a task found, where it was refused; else None."""
    newest = None
    for one in records:
        if one.get("check") == task and not one.get("student"):
            newest = one
    if newest is None or newest.get("verdict") != Verdict.FAIL:
        return None
    found = newest.get("found")
    return str(found) if found and newest.get("reason") != "not-started" else None


def pairs(shown: Shown) -> list[tuple[str, str]]:
    """What is shown, as labels with words beside them."""
    found = [("found", said(shown.found))] if shown.found else []
    return [*found, *((str(number), said(hint)) for number, hint in enumerate(shown.hints, 1))]


def head(shown: Shown) -> str:
    """The first line."""
    return said(f"{shown.task}  hint {shown.rung} of {shown.of}")


def tail(shown: Shown) -> str:
    """The last line; empty while there are more hints."""
    return said("That was the last hint.") if shown.last else ""


def text(shown: Shown) -> str:
    """The hints as a terminal shows them."""
    lines = [head(shown), *(report.labelled(*pair) for pair in pairs(shown)), tail(shown)]
    return "\n".join(line for line in lines if line)
