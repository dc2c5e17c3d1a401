"""Grade a lab of a whole class: every namespace that matches, a line a student.

The checks are those of `./lab check`. One list a kind serves all namespaces; what a check has to
try on a copy is tried in a few of them at once. What could not be checked costs no points.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from kubelab.commands.check import seconds
from kubelab.errors import UsageError
from kubelab.site import here

# In the place of a file: the standard output.
OUT = "-"

EXAMPLES = [
    "./lab grade 03 --namespaces '*-lab-03'",
    "./lab grade 03 --namespaces 'team-?-lab-03' --csv points.csv",
    "./lab grade 03 --namespaces '*' --json > results.json",
    "./lab grade 03 --namespaces '*' --junit report.xml",
]
INTERRUPTED = "Interrupted. What was graded is in the results file; it can be run again."


def arguments(parser: argparse.ArgumentParser) -> None:
    """The lab and the options."""
    parser.add_argument("lab", metavar="NN", help="the lab: 03")
    parser.add_argument("--namespaces", required=True, metavar="GLOB", help="'*-lab-03'")
    alone = "; without FILE they alone are printed"
    parser.add_argument(
        "--json", nargs="?", const=OUT, metavar="FILE", help=f"the result records{alone}"
    )
    parser.add_argument(
        "--junit", nargs="?", const=OUT, metavar="FILE", help=f"the records as JUnit XML{alone}"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="the points, a line a student")
    parser.add_argument("--jobs", type=int, metavar="N", help="how many namespaces at once")
    parser.add_argument(
        "--timeout", type=seconds, metavar="S", help="for what is moving; else each task's own"
    )


def run(chosen: argparse.Namespace) -> int:
    """0 all done, 1 somebody is not, 3 something is moving, 4 something could not be checked."""
    from kubelab import controlplane, gradebook, junit, labs, runner
    from kubelab.api import connect
    from kubelab.report import Record
    from kubelab.verdict import Verdict, exit_code

    if chosen.json == chosen.junit == OUT:
        raise UsageError("Of --json and --junit one can be printed: give the other a FILE.")
    site = here()
    lab = labs.find(site.root, chosen.lab)
    cluster = controlplane.connected(site, connect)
    names = gradebook.namespaces(cluster, lab, chosen.namespaces)
    # The records alone go to the output where they are asked for there.
    out = sys.stderr if OUT in (chosen.json, chosen.junit) else sys.stdout

    def tell(name: str, records: list[Record]) -> None:
        print(gradebook.row(lab, names, name, records), file=out, flush=True)

    began = time.monotonic()
    book = gradebook.Gradebook(site, lab, cluster, timeout=chosen.timeout)
    print(gradebook.heading(lab, names), file=out, flush=True)
    records = book.grade(names, tell, jobs=chosen.jobs or gradebook.JOBS)
    print(f"\n{gradebook.summary(records, time.monotonic() - began)}", file=out)
    if chosen.json == OUT:
        print(runner.dumped(records))
    elif chosen.json:
        Path(chosen.json).write_text(runner.dumped(records) + "\n", encoding="utf-8")
    if chosen.junit == OUT:
        print(junit.text(records), end="")
    elif chosen.junit:
        junit.write(Path(chosen.junit), records)
    if chosen.csv:
        chosen.csv.write_text(gradebook.as_csv(lab, records), encoding="utf-8")
    return exit_code(Verdict(one["verdict"]) for one in records)
