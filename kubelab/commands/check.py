"""Check a lab, or single tasks: done, not done, still converging, or could not check.

A wrong state at rest is told at once. What is still moving is watched, for as long as its task
allows.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kubelab.errors import UsageError
from kubelab.site import here

EXAMPLES = [
    "./lab check 02             all tasks of lab 02",
    "./lab check 02.1 02.3      two of them",
    "./lab check 02 --watch       check again whenever something changes",
    "./lab check 02 --timeout 5 --json",
    "./lab check 02 --junit report.xml",
]
INTERRUPTED = "Interrupted. Nothing was judged; `./lab check` can be run again."


def arguments(parser: argparse.ArgumentParser) -> None:
    """The tasks and the options."""
    parser.add_argument("tasks", nargs="+", metavar="NN[.T]", help="a lab (02) or a task (02.1)")
    parser.add_argument(
        "--timeout", type=seconds, metavar="S", help="seconds to wait for what is moving"
    )
    parser.add_argument("--json", action="store_true", help="print the result records as JSON")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write them as JUnit XML")
    parser.add_argument(
        "--watch", action="store_true", help="check again on each change, task after task"
    )


def run(chosen: argparse.Namespace) -> int:
    """Run the checks; exit code 0 done, 1 not done, 3 still converging, 4 could not check."""
    from kubelab import runner

    if chosen.watch:
        if chosen.json or chosen.junit or chosen.timeout is not None:
            raise UsageError("`--watch` shows results on the screen and takes no other option.")
        from kubelab import watching

        return watching.watch(here(), chosen.tasks)
    return runner.run_checks(
        here(), chosen.tasks, timeout=chosen.timeout, json=chosen.json, junit=chosen.junit
    )


def seconds(text: str) -> float:
    """A number of seconds, not below zero."""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError(text)
    return value
