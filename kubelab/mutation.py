"""Mutation of checks: each assert removed once, and some answer of the bank has to notice it.

`python -m kubelab.mutation --namespace NAME 02.1` runs the check of one task on one answer, whole
and without the assert at which it ended, and prints the verdicts. Without any other assert the
check ends as the whole one does: those before it hold, and those after it are not reached.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubelab import bank, labs, runner
from kubelab.answers import Place
from kubelab.bank import Row, Trial
from kubelab.labs import Lab
from kubelab.report import Record
from kubelab.site import Site, here
from kubelab.verdict import Verdict

# What a mutant that goes on to something that moves may wait for, in seconds.
TIMEOUT = 10.0

Given = dict[str, tuple[str, str | None]]


@dataclass(frozen=True)
class Mutant:
    """One assert of one check, by its line; `text` is the criteria without it."""

    task: str
    line: int
    removed: str
    text: str = field(default="", repr=False, compare=False)
    # In bytes, as `ast` counts.
    column: int = field(default=0, repr=False, compare=False)

    @property
    def name(self) -> str:
        """What the table calls it."""
        return f"{self.task} line {self.line}: {self.removed}"


def mutants(text: str, task: str | None = None) -> list[Mutant]:
    """Every assert of the checks in a file of criteria, or of one task's check, removed once."""
    tree = ast.parse(text)
    found = []
    for function in tree.body:
        id_ = task_of(function)
        if id_ is None or task not in (None, id_):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Assert):
                removed = " ".join(ast.unparse(node).split())
                text_without = without(text, node)
                found.append(Mutant(id_, node.lineno, removed, text_without, node.col_offset))
    return sorted(found, key=lambda one: (one.line, one.column))


def task_of(function: ast.stmt) -> str | None:
    """The task of a function that `@task("NN.T")` marks; None for any other statement."""
    if not isinstance(function, ast.FunctionDef):
        return None
    for one in function.decorator_list:
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "task":
            (argument,) = one.args
            return str(argument.value) if isinstance(argument, ast.Constant) else None
    return None


def without(text: str, node: ast.Assert) -> str:
    """The text with `pass` in the place of one assert; all other lines keep their numbers."""
    lines = text.splitlines()
    last = node.end_lineno or node.lineno
    first = lines[node.lineno - 1]
    rest = lines[last - 1].encode()[node.end_col_offset :].decode()
    lines[node.lineno - 1] = first.encode()[: node.col_offset].decode() + "pass" + rest
    for number in range(node.lineno, last):
        lines[number] = ""
    return "\n".join(lines) + "\n"


def marked(text: str, several: Sequence[Mutant], file: Path) -> str:
    """The text in which each assert first notes its place among `several` in a file."""
    lines = text.splitlines()
    for number, one in reversed(list(enumerate(several))):
        line = lines[one.line - 1].encode()
        note = f"__import__('pathlib').Path({str(file)!r}).write_text('{number}'); ".encode()
        lines[one.line - 1] = (line[: one.column] + note + line[one.column :]).decode()
    return "\n".join(lines) + "\n"


# On the cluster


def run(
    site: Site,
    lab: Lab,
    chosen: Sequence[Trial],
    tell: Callable[[Row], None],
    *,
    jobs: int = bank.JOBS,
) -> tuple[list[Row], list[Mutant]]:
    """Try the wrong answers of a lab on its checks and on every mutant of them.

    Returns the rows of the whole checks, and the mutants that no answer noticed.
    """
    noticed: set[str] = set()

    def check(place: Place, trial: Trial) -> list[Record]:
        assert trial.answer is not None
        words = ["kubelab.mutation", "--namespace", place.namespace, trial.selector]
        (told,) = bank.records_of(words, site)
        expected = (trial.answer.verdict, trial.answer.reason)
        for name, given in told["given"].items():
            if tuple(given) != expected:
                noticed.add(name)
        records: list[Record] = told["records"]
        return records

    wrong = [one for one in chosen if one.answer is not None and one.answer.task is not None]
    rows = bank.run(site, wrong, tell, jobs=jobs, check=check)
    every = mutants(lab.checks.read_text(encoding="utf-8"))
    return rows, [one for one in every if one.name not in noticed]


def judged(site: Site, lab: Lab, namespace: str, task: str) -> Record:
    """The records of a task's whole check, and what the mutant says that its end depends on."""
    text = lab.checks.read_text("utf-8")
    several = mutants(text, task)
    given: Given = {}
    # Python keeps modules by name, so each text has a file of another name.
    with tempfile.TemporaryDirectory(prefix="kubelab-mutants-") as folder:
        reached, whole = Path(folder) / "reached", Path(folder) / "test_whole.py"
        whole.write_text(marked(text, several, reached), encoding="utf-8")
        records = runner.run(site, [task], namespace=namespace, keep=False, files=[whole])
        if reached.exists() and any(one["verdict"] != Verdict.PASS for one in records):
            one = several[int(reached.read_text())]
            mutant = Path(folder) / "test_mutant.py"
            mutant.write_text(one.text, encoding="utf-8")
            (found,) = runner.run(
                site, [task], namespace=namespace, keep=False, files=[mutant], timeout=TIMEOUT
            )
            given[one.name] = (found["verdict"], found["reason"])
    return {"records": records, "given": given}


def score(every: int, survived: Sequence[Mutant]) -> str:
    """How many of the asserts are held by an answer, in one sentence."""
    held = every - len(survived)
    share = held / every if every else 0.0
    return f"asserts that an answer misses: {held} of {every} ({share:.0%})"


def main(arguments: list[str] | None = None) -> int:
    """Print the records and the mutants' verdicts of one task as JSON."""
    parser = argparse.ArgumentParser(prog="kubelab.mutation", description=main.__doc__)
    parser.add_argument("--namespace", required=True)
    parser.add_argument("task", metavar="NN.T")
    chosen: Any = parser.parse_args(arguments)
    site = here()
    lab = labs.find(site.root, chosen.task)
    print(json.dumps([judged(site, lab, chosen.namespace, chosen.task)], ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
