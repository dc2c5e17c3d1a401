"""Run the answer bank: right answers must pass, wrong ones fail for the right reason.

Each answer is given in a namespace of its own on the course's cluster, several at once, and
checked as a command would. What is misjudged prints what the learner would have read. With
--mutate only the wrong answers are tried: each assert of each check is removed once, and one of
them has to notice it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from kubelab.site import Site, here

if TYPE_CHECKING:
    from kubelab.bank import Record, Row, Trial
    from kubelab.labs import Lab

EXAMPLES = [
    "./lab bank                       every lab",
    "./lab bank 02 --only 'wrong-*'   some answers of one lab",
    "./lab bank 03 --from ~/answers   answers that are kept elsewhere",
    "./lab bank --short               of each task two wrong answers",
    "./lab bank 02 --json bank.json",
    "./lab bank 02 --mutate           is each assert held by an answer?",
]
INTERRUPTED = "Interrupted. The answers' namespaces are being removed."


def arguments(parser: argparse.ArgumentParser) -> None:
    """The labs and the options."""
    parser.add_argument("labs", nargs="*", metavar="NN", help="a lab (02); none means every lab")
    parser.add_argument("--from", dest="folder", type=Path, metavar="DIR", help="other answers")
    parser.add_argument("--only", default="*", metavar="GLOB", help="answers by name")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--short", action="store_true", help="a part that touches every task")
    part.add_argument("--shortest", action="store_true", help="of each task one wrong answer")
    parser.add_argument("--jobs", type=int, default=3, metavar="N", help="at once; 3")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every row as JSON")
    parser.add_argument("--mutate", action="store_true", help="remove each assert once")


def run(chosen: argparse.Namespace) -> int:
    """0 all as expected, 1 one was misjudged, 4 one could not be judged."""
    from kubelab import bank, following

    site = here()
    rows: list[Row] = []
    chosen_labs = bank.selected(site.root, chosen.labs)
    survived = 0
    print(f"{'answer':<40} {'task':<5} {'expected':<28} given", flush=True)
    for lab in chosen_labs:
        several = bank.trials(lab, chosen.folder, chosen.only)
        if chosen.short:
            several = bank.short(several)
        if chosen.shortest:
            several = bank.shortest(several)
        # Two runs on the same lab would remove each other's namespaces.
        with following.alone(site, f"bank {lab.number}", wait=False, file=f"bank-{lab.number}"):
            if chosen.mutate:
                survived += mutate(site, lab, several, chosen.jobs)
            else:
                rows += bank.run(site, several, show, jobs=chosen.jobs)
    if chosen.mutate:
        return 1 if survived else 0
    if chosen.json:
        write(chosen.json, [row.as_json(site.root) for row in rows])
    for row in rows:
        if row.first:
            print(f"\n== {row.lab} {row.name}: no verdict at the first try\n{row.first}")
        if not row.held:
            print(f"\n== {row.lab} {row.name}: expected {wanted(row)}\n{row.text}")
    print("", *bank.rates(rows), sep="\n")
    return bank.exit_code(rows)


def write(file: Path, rows: list[Record]) -> None:
    """Write the rows as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"answers": rows}, indent=2, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")


def mutate(site: Site, lab: Lab, several: list[Trial], jobs: int) -> int:
    """Remove each assert once and say which ones nobody missed; how many."""
    from kubelab import mutation

    every = mutation.mutants(lab.checks.read_text(encoding="utf-8"))
    _, survived = mutation.run(site, lab, several, show, jobs=jobs)
    for one in survived:
        print(f"nobody misses {one.name}")
    print(f"\nlab {lab.number}: {mutation.score(len(every), survived)}", flush=True)
    return len(survived)


def show(row: Row) -> None:
    """One line of the table, as the answer ends."""
    given = f"{row.given} {row.reason_given or ''}".strip()
    mark = "" if row.held else "   MISJUDGED"
    mark += "   at the second try" if row.first else ""
    name = f"{row.lab} {row.name}"
    print(
        f"{name:<40} {row.task or 'all':<5} {wanted(row):<28} {given}{mark}  {row.seconds:.0f} s",
        flush=True,
    )


def wanted(row: Row) -> str:
    """Verdict and reason that the answer expects."""
    return f"{row.expected} {row.reason_expected or ''}".strip()
