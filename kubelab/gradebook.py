"""A lab of a whole class: many namespaces, the same checks, one list a kind for all of them."""

from __future__ import annotations

import csv
import io
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import cast

import pytest

from kubelab import plugin, report, runner
from kubelab.acting import Proof
from kubelab.answers import TRIAL
from kubelab.api import Cluster
from kubelab.checking import LabView, Unsettled
from kubelab.classroom import Shared
from kubelab.errors import EnvironmentFault, UsageError
from kubelab.labs import Lab, Task
from kubelab.learner import LAB_LABEL, is_started
from kubelab.learner import student as student_of
from kubelab.objects import Object, meta, name_of
from kubelab.report import Record
from kubelab.site import Site
from kubelab.snapshot import Snapshot
from kubelab.verdict import Verdict

# Namespaces graded at once; most of the time each waits for an answer, or for a wrong address.
JOBS = 32
# Copies made at once: each needs room on the nodes, and has seconds to start.
ACTING = 4
# A look, a look while watching, and a look in turn to act, in whichever order they are needed.
LOOKS = 4
# A look that was given up after so many seconds is made again, with all the time that it has.
SLOW = 5.0
WIDTH = 80
SHORT = {
    Verdict.PASS: "done",
    Verdict.FAIL: "not done",
    Verdict.NOT_YET: "converging",
    Verdict.ENV: "no check",
}

Check = Callable[[LabView], None]


class ClassView(LabView):
    """One look at one student's namespace, which acts in its turn alone."""

    turn = False
    wanted = False

    def prove(self, body: Object, act: Callable[[str], Proof], *, what: str = "") -> Proof:
        """The proof on record; without one the check waits for its turn."""

        def in_turn(key: str) -> Proof:
            if not self.turn:
                self.wanted = True
                raise Unsettled
            return act(key)

        return super().prove(body, in_turn, what=what)


class Criteria:
    """A plugin of pytest that runs nothing: it takes the checks that pytest has collected."""

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}

    def pytest_configure(self, config: pytest.Config) -> None:
        """Declare the marker that `@task` sets."""
        config.addinivalue_line("markers", f"{plugin.MARKER}(id): the check of one task")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take the checks, in place of running them once."""
        for item in session.items:
            id_ = plugin.task_id(item)
            if id_ is not None and isinstance(item, pytest.Function):
                self.checks[id_] = item.obj
        return True


def criteria(site: Site, lab: Lab) -> dict[str, Check]:
    """The checks of a lab by task, as pytest collects them; raises EnvironmentFault."""
    files, _ = runner.chosen(site.root, [lab.number])
    found = Criteria()
    _, faults = runner.collected(site, files, found)
    missing = [id_ for id_ in lab.tasks if id_ not in found.checks]
    if missing:
        why = faults[0] if faults else "there is no such test."
        raise EnvironmentFault(f"The check of {missing[0]} is a fault of the course: {why}")
    return {id_: found.checks[id_] for id_ in lab.tasks}


def namespaces(cluster: Cluster, lab: Lab, glob: str) -> list[str]:
    """The namespaces of this lab whose names match; raises UsageError where there are none.

    One that was not started counts by its name: `<student>-lab-NN`.
    """
    found = []
    for body in cluster.objects("Namespace"):
        labels = meta(body).get("labels") or {}
        ours = labels.get(LAB_LABEL) == lab.number or name_of(body).endswith(lab.namespace)
        if ours and TRIAL not in labels and fnmatchcase(name_of(body), glob):
            found.append(name_of(body))
    if not found:
        raise UsageError(
            f"No namespace of lab {lab.number} matches `{glob}`.",
            look="kubectl get namespaces --show-labels",
        )
    return sorted(found)


@dataclass
class Gradebook:
    """One run over a class; `tell` gets each student's records as soon as its turn has come."""

    site: Site
    lab: Lab
    cluster: Cluster
    timeout: float | None = None

    def __post_init__(self) -> None:
        self.checks = criteria(self.site, self.lab)
        self.shared = Shared(self.cluster)
        self.slots = threading.Semaphore(ACTING)
        self.attempts = report.tried(report.read(self.site.results))

    def grade(
        self,
        chosen: Sequence[str],
        tell: Callable[[str, list[Record]], None] = lambda name, records: None,
        jobs: int = JOBS,
    ) -> list[Record]:
        """Grade every namespace; what goes wrong in one is told there, and stops no other."""
        found: list[Record] = []
        with ThreadPoolExecutor(max(1, jobs)) as pool:
            try:
                for name, records in zip(chosen, pool.map(self.student, chosen), strict=True):
                    found += records
                    tell(name, records)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return found

    def student(self, namespace: str) -> list[Record]:
        """The records of one namespace, a record a task; they are in the results file too."""
        # What needs a cluster of one's own nobody in a shared one can do.
        tasks = [one for one in self.lab.tasks.values() if one.rights == "namespace"]
        records = [self.task(namespace, task) for task in tasks]
        report.append(self.site.results, records)
        return records

    def task(self, namespace: str, task: Task) -> Record:
        """The record of one task: a look at the shared lists first, then what takes longer."""
        attempt = self.attempts[student_of(namespace), task.id] + 1
        shared = cast(Cluster, self.shared)
        cluster, turn = shared, False
        record: Record = {}
        for _ in range(LOOKS):
            snapshot = Snapshot(cluster, namespace)
            view = ClassView(cluster, self.lab, task, snapshot)
            view.turn = turn
            try:
                if turn:
                    self.slots.acquire()
                record = self.look(view, task, 0.0 if cluster is shared else None, attempt)
            finally:
                snapshot.close()
                if turn:
                    self.slots.release()
            slow = record["verdict"] == Verdict.ENV and record["seconds"] > SLOW
            if record["verdict"] != Verdict.NOT_YET and not slow:
                break
            # Once more, as it is now: in turn to act where that is what is missing. The tasks after
            # this one look so as well: a shared list still tells of Pods that acting replaces.
            self.shared.touch(namespace)
            cluster, turn = self.cluster, view.wanted
            if not turn and snapshot.cluster is self.cluster:
                break
        return record

    def look(self, view: ClassView, task: Task, timeout: float | None, attempt: int) -> Record:
        """One record; any exception is one, too: the next student is graded all the same."""
        check = self.checks[task.id]

        def made(subject: LabView | Exception, started: bool) -> Record:
            return plugin.result(
                self.site,
                task,
                subject,
                lambda: check(view),
                started=started,
                timeout=self.timeout if timeout is None else timeout,
                attempt=attempt,
            )

        try:
            found = self.shared.get("Namespace", view.namespace)
            return made(view, is_started(found))
        except Exception as error:
            return made(error, False) | {"student": student_of(view.namespace)}


# Telling


def columns(lab: Lab, names: Sequence[str]) -> tuple[int, int]:
    """The widths of the column of names and of a task's."""
    task = 12
    room = WIDTH - task * len(lab.tasks) - 9
    return max(8, min(room, max(map(len, names), default=8))), task


def heading(lab: Lab, names: Sequence[str]) -> str:
    """The first line of the matrix."""
    first, task = columns(lab, names)
    cells = "".join(f"  {id_:<{task - 2}}" for id_ in lab.tasks)
    return f"{'namespace':<{first}}{cells}   points"


def row(lab: Lab, names: Sequence[str], name: str, records: Iterable[Record]) -> str:
    """One student's line: a word a task, and the points."""
    first, task = columns(lab, names)
    several = list(records)
    words = {one["check"]: word(one) for one in several}
    cells = "".join(f"  {words.get(id_, ''):<{task - 2}}" for id_ in lab.tasks)
    points = f"{earned(several)}/{possible(several)}"
    shown = name if len(name) <= first else f"{name[: first - 3]}..."
    return f"{shown:<{first}}{cells}   {points:>6}"


def word(one: Record) -> str:
    """A verdict in ten letters."""
    if one["reason"] == "not-started":
        return "no start"
    return SHORT[Verdict(one["verdict"])]


def earned(records: Iterable[Record]) -> int:
    """The points of a student."""
    return sum(one["earned"] for one in records)


def possible(records: Iterable[Record]) -> int:
    """The points that could be earned: what could not be checked costs nothing."""
    return sum(one["points"] for one in records if one["verdict"] != Verdict.ENV)


def summary(records: Sequence[Record], seconds: float) -> str:
    """The class in one or two lines."""
    students = {one["student"] for one in records}
    counts = Counter(word(one) for one in records)
    told = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    many = f"{len(students)} {'namespace' if len(students) == 1 else 'namespaces'}"
    lines = [f"{many} in {seconds:.1f} s: {told}."]
    if counts[SHORT[Verdict.ENV]]:
        lines.append("What could not be checked costs no points and may be graded again.")
    return "\n".join(lines)


def as_csv(lab: Lab, records: Iterable[Record]) -> str:
    """A line a student: the points of each task (empty where it could not be checked)."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["student", *lab.tasks, "points", "of"])
    for student, several in by_student(records):
        cells = {
            one["check"]: "" if one["verdict"] == Verdict.ENV else one["earned"] for one in several
        }
        row = [cells.get(id_, "") for id_ in lab.tasks]
        writer.writerow([plain(student), *row, earned(several), possible(several)])
    return out.getvalue()


def plain(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@") else cell


def by_student(records: Iterable[Record]) -> Iterator[tuple[str, list[Record]]]:
    """The records of each student."""
    found: dict[str, list[Record]] = {}
    for one in records:
        found.setdefault(one["student"], []).append(one)
    yield from found.items()
