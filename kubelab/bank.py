"""The answer bank: right answers must pass, wrong ones must fail for the right reason.

Each answer is given in a namespace of its own on the real cluster and checked as a command would.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import yaml

from kubelab import answers, controlplane, labs, removal, report, tools
from kubelab.answers import Answer, NotApplied, Place
from kubelab.api import connect
from kubelab.errors import KubelabError, UsageError
from kubelab.labs import LOADER, Lab
from kubelab.learner import LAB_LABEL
from kubelab.objects import name_of
from kubelab.site import Site
from kubelab.verdict import EXIT, Verdict

# What `short` leaves of a bank: right answers beside the reference, wrong ones a task, and the
# fewest wrong ones in all: of a lab with two tasks it takes more of each.
SHORT_RIGHT = 2
SHORT_WRONG = 2
SHORT_LEAST = 8
# What `shortest` leaves: one of either.
SHORTEST = 1
# Most of an answer's time is waiting, so two cores serve several at once; with four of them
# they were late.
JOBS = 3
# What one check may take as a command, in seconds, before it counts as broken.
CHECK_TIMEOUT = 600.0
PREFIX = "bank"

Record = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One line of the bank's table; `file` is None for the untouched start.

    `task` None means every task of the lab. `text` is what the learner would have read, and `first`
    what the first try said, where it gave no verdict and there was another one.
    """

    lab: str
    task: str | None
    kind: str
    file: Path | None
    expected: str
    given: str
    reason_expected: str | None = None
    reason_given: str | None = None
    seconds: float = 0.0
    text: str = ""
    first: str = ""

    @property
    def name(self) -> str:
        """What the table calls it."""
        return self.file.stem if self.file else "start"

    @property
    def held(self) -> bool:
        """Whether it was judged as expected; a wrong one for the expected reason."""
        if self.given != self.expected:
            return False
        return self.reason_expected is None or self.reason_given == self.reason_expected

    @property
    def unclear(self) -> bool:
        """Whether nothing was judged: the answer or the environment is broken."""
        return self.given == Verdict.ENV

    @property
    def open(self) -> bool:
        """Whether there is no verdict, and one was expected: asked again, there may be one."""
        return not self.held and self.given in (Verdict.ENV, Verdict.NOT_YET)

    def as_json(self, root: Path) -> Record:
        """The row as `--json` writes it."""
        file = self.file
        if file is not None and file.is_relative_to(root):
            file = file.relative_to(root)
        return {
            "lab": self.lab,
            "task": self.task,
            "kind": self.kind,
            "file": str(file) if file else None,
            "expected": self.expected,
            "given": self.given,
            "reason_expected": self.reason_expected,
            "reason_given": self.reason_given,
            "seconds": round(self.seconds, 2),
            "first": self.first or None,
        }


@dataclass(frozen=True)
class Trial:
    """What is tried in one namespace: an answer (its files), or the untouched start."""

    lab: Lab
    files: tuple[Path, ...]
    answer: Answer | None

    @property
    def selector(self) -> str:
        """What is checked: the task of a wrong answer, else the whole lab."""
        task = self.answer.task if self.answer else None
        return task or self.lab.number

    @property
    def alone(self) -> bool:
        """Whether it disturbs what other answers would see."""
        return self.lab.exclusive or self.reaches_out

    @property
    def reaches_out(self) -> bool:
        """Whether it makes objects in other namespaces."""
        return any(names_a_namespace(file) for file in self.files if file.suffix == ".yaml")


# How the state of a trial is checked.
Check = Callable[[Place, Trial], list[Record]]


def names_a_namespace(file: Path) -> bool:
    """Whether a manifest says itself which namespace it belongs to."""
    several = yaml.load_all(file.read_text(encoding="utf-8"), Loader=LOADER)
    return any(one and (one.get("metadata") or {}).get("namespace") for one in several)


def trials(lab: Lab, folder: Path | None = None, only: str = "*") -> list[Trial]:
    """Everything to try for a lab: the start, the reference, and its answers (or a folder's).

    Raises UsageError where the folder holds none for it.
    """
    from fnmatch import fnmatch

    source = lab.bank if folder is None else place_of(lab, folder)
    found = [Trial(lab, (one.file,), one) for one in answers.every(source)]
    if folder is None:
        reference = tuple(answers.solution(lab))
        found.insert(0, Trial(lab, (), None))
        found.insert(1, Trial(lab, reference, Answer(lab.solution, None, "pass", None)))
    unknown = {one.answer.task for one in found if one.answer} - {None, *lab.tasks}
    if unknown:
        raise UsageError(f"Lab {lab.number} has no task {', '.join(sorted(map(str, unknown)))}.")
    return [one for one in found if fnmatch(one.answer.name if one.answer else "start", only)]


def short(several: Sequence[Trial]) -> list[Trial]:
    """The part of a bank for every day: of each task wrong answers that differ in their reason.

    Start and reference stay, and of the other right answers the first.
    """
    return part(several, SHORT_RIGHT, wrong_a_task(len(tasks_of(several))))


def shortest(several: Sequence[Trial]) -> list[Trial]:
    """The part of a bank that still touches every task, for a run that has little time left."""
    return part(several, SHORTEST, SHORTEST)


def part(several: Sequence[Trial], right: int, wrong: int) -> list[Trial]:
    """Start, reference, so many other right answers, and of each task so many wrong ones."""
    kept = {one.files for mine in tasks_of(several).values() for one in by_reason(mine)[:wrong]}
    rights = [one for one in several if one.answer is not None and one.answer.task is None]
    kept |= {one.files for one in rights[: 1 + right]}
    return [one for one in several if one.answer is None or one.files in kept]


def tasks_of(several: Sequence[Trial]) -> dict[str, list[Trial]]:
    """The wrong answers of a bank by their task."""
    wrong: dict[str, list[Trial]] = {}
    for one in several:
        if one.answer is not None and one.answer.task is not None:
            wrong.setdefault(one.answer.task, []).append(one)
    return wrong


def wrong_a_task(tasks: int) -> int:
    """How many wrong answers of each task the short bank keeps, where so many tasks have some."""
    return max(SHORT_WRONG, -(-SHORT_LEAST // max(tasks, 1)))


def by_reason(wrong: Sequence[Trial]) -> list[Trial]:
    """Wrong answers in an order in which the first of each reason come first."""
    seen: Counter[str | None] = Counter()
    turns = []
    for one in wrong:
        reason = one.answer.reason if one.answer else None
        turns.append((seen[reason], one))
        seen[reason] += 1
    return [one for _, one in sorted(turns, key=lambda turn: turn[0])]


def place_of(lab: Lab, folder: Path) -> Path:
    """Where a folder of answers kept elsewhere has those for one lab."""
    known = (folder / lab.slug / "bank", folder / lab.slug, folder / lab.number, folder)
    found = next((one for one in known if one.is_dir()), None)
    if found is None:
        raise UsageError(f"{folder} is no folder.", look=f"ls {folder.parent}")
    return found


# Running


def run(
    site: Site,
    chosen: Sequence[Trial],
    tell: Callable[[Row], None],
    *,
    jobs: int = JOBS,
    check: Check | None = None,
) -> list[Row]:
    """Try everything, several at once; `tell` gets each row as soon as it is there.

    An answer that disturbs others is tried alone, at the end; one that got no verdict is tried once
    more, alone, as a learner checks again. Namespaces are removed also after Ctrl-C.
    """
    clear(site, {one.lab.namespace for one in chosen})
    check = check or checked
    stop = Event()
    rows: list[Row] = []
    said: dict[int, str] = {}
    numbered = list(enumerate(chosen))

    with tempfile.TemporaryDirectory(prefix="kubelab-bank-") as folder:

        def batch(several: Sequence[tuple[int, Trial]], width: int, *, last: bool = False) -> None:
            with ThreadPoolExecutor(max(1, width)) as pool:
                waiting: dict[Future[list[Row]], int] = {}
                for number, one in several:
                    # The namespace of the first try may still be on its way out.
                    name = f"{PREFIX}{number + len(chosen) * last}"
                    future = pool.submit(attempt, site, one, name, Path(folder), stop, check)
                    waiting[future] = number
                try:
                    for done in finished(set(waiting)):
                        found, number = done.result(), waiting[done]
                        if not last and any(row.open for row in found):
                            said[number] = next(row.text for row in found if row.open)
                            continue
                        for row in found:
                            whole = replace(row, first=said.get(number, ""))
                            rows.append(whole)
                            tell(whole)
                except BaseException:
                    stop.set()
                    pool.shutdown(cancel_futures=True)
                    raise

        batch([one for one in numbered if not one[1].alone], jobs)
        batch([one for one in numbered if one[1].alone], 1)
        batch([one for one in numbered if one[0] in said], 1, last=True)
    return rows


def finished(waiting: set[Future[list[Row]]]) -> Iterator[Future[list[Row]]]:
    """Each as it ends; in turns of a second, so that Ctrl-C is heard."""
    while waiting:
        done, waiting = wait(waiting, timeout=1.0, return_when=FIRST_COMPLETED)
        yield from done


def attempt(
    site: Site,
    trial: Trial,
    name: str,
    folder: Path,
    stop: Event,
    check: Check,
) -> list[Row]:
    """Give one answer in a namespace of its own and check it."""
    began = time.monotonic()
    try:
        with answers.place(site, trial.lab, name, folder) as here:
            try:
                answers.apply(trial.files, here.kubeconfig)
                if stop.is_set():
                    return []
                records = check(here, trial)
            finally:
                if trial.lab.exclusive:
                    controlplane.mend(site)
                if trial.reaches_out:
                    take_back(trial.files, here.kubeconfig)
    except (KubelabError, NotApplied, subprocess.TimeoutExpired, ValueError) as error:
        return [broken(trial, str(error), time.monotonic() - began)]
    seconds = time.monotonic() - began
    return [replace(row, seconds=seconds) for row in judged(trial, records)]


def checked(here: Place, trial: Trial) -> list[Record]:
    """The result records of a check, run as a command; raises ValueError where there are none."""
    words = ["kubelab.runner", "--namespace", here.namespace, "--no-record", "--json"]
    return records_of([*words, trial.selector], here.site)


def records_of(words: Sequence[str], site: Site) -> list[Record]:
    """The records that a module of ours prints; raises ValueError where it prints none."""
    command = [sys.executable, "-m", *words]
    with tempfile.TemporaryFile("w+") as errors:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            timeout=CHECK_TIMEOUT,
            check=False,
            cwd=site.root,
            env={**os.environ, "KUBELAB_CLUSTER": site.name},
        )
        if not done.stdout.strip():
            errors.seek(0)
            raise ValueError(f"The check said nothing: {errors.read().strip()[-300:]}")
    found: list[Record] = json.loads(done.stdout)
    return found


def take_back(files: Iterable[Path], kubeconfig: Path) -> None:
    """Delete what an answer made in namespaces that are not the trial's."""
    command = [str(tools.kubectl()), "delete", "--now", "--ignore-not-found"]
    for file in files:
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(
                [*command, "-f", str(file)],
                env={**os.environ, "KUBECONFIG": str(kubeconfig)},
                capture_output=True,
                timeout=60,
                check=False,
            )


def clear(site: Site, labs_namespaces: Collection[str]) -> None:
    """Remove the namespaces of a run that crashed, for these labs, and wait until they are gone."""
    cluster = connect(site)
    left = []
    for namespace in cluster.objects("Namespace", labels=LAB_LABEL):
        number, _, lab = name_of(namespace).removeprefix(PREFIX).partition("-")
        if name_of(namespace).startswith(PREFIX) and number.isdigit() and lab in labs_namespaces:
            left.append(name_of(namespace))
    for name in left:
        answers.remove(cluster, name)
    for name in left:
        removal.remove(cluster, name)


# Judging


def judged(trial: Trial, records: Sequence[Record]) -> list[Row]:
    """The rows for the records of one trial."""
    lab = trial.lab.number
    if trial.answer is None:
        return [
            Row(
                lab,
                one["check"],
                "start",
                None,
                "fail",
                one["verdict"],
                reason_given=one["reason"],
                text=report.text(one),
            )
            for one in records
        ]
    answer = trial.answer
    if answer.task is None and [one["check"] for one in records] != list(trial.lab.tasks):
        return [broken(trial, "Not every task of the lab was checked.", 0.0)]
    # Of several tasks the one that went worst tells.
    worst = max(records, key=lambda one: EXIT[Verdict(one["verdict"])])
    misjudged = [one for one in records if one["verdict"] != answer.verdict] or [worst]
    return [
        Row(
            lab,
            answer.task,
            answer.kind,
            answer.file,
            answer.verdict,
            worst["verdict"],
            answer.reason,
            worst["reason"],
            text="\n\n".join(report.text(one) for one in misjudged),
        )
    ]


def broken(trial: Trial, message: str, seconds: float) -> Row:
    """The row of an answer that could not be given or checked."""
    answer = trial.answer
    return Row(
        trial.lab.number,
        answer.task if answer else None,
        answer.kind if answer else "start",
        answer.file if answer else None,
        answer.verdict if answer else "fail",
        Verdict.ENV,
        answer.reason if answer else None,
        "environment",
        seconds,
        message,
    )


def rates(rows: Sequence[Row]) -> tuple[str, ...]:
    """The two rates that matter, as sentences; and how many had to be tried again, if any."""
    wrong = [row for row in rows if row.kind != "right"]
    right = [row for row in rows if row.kind == "right"]
    passed = sum(row.given == Verdict.PASS for row in wrong)
    failed = sum(row.given != Verdict.PASS and not row.unclear for row in right)
    again = sum(bool(row.first) for row in rows)
    return (
        f"wrong answers that passed: {passed} of {len(wrong)}",
        f"right answers that failed: {failed} of {len(right)}",
        *([f"without a verdict at the first try: {again} of {len(rows)}"] if again else ()),
    )


def exit_code(rows: Sequence[Row]) -> int:
    """0 where every answer was judged as expected, 4 where one could not be judged, else 1."""
    if any(row.unclear for row in rows):
        return Verdict.ENV.exit_code
    return 0 if rows and all(row.held for row in rows) else Verdict.FAIL.exit_code


def selected(root: Path, numbers: Sequence[str]) -> list[Lab]:
    """The labs that are named, or all that have a bank."""
    if numbers:
        return [labs.find(root, number) for number in numbers]
    return [lab for lab in labs.every(root) if lab.bank.is_dir()]
