"""The next of a task's three hints: where to look, what is wrong, how it is done.

Where the last check of the task failed, what it found stands before them. Hints cost no points.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from kubelab.errors import UsageError
from kubelab.site import here

EXAMPLES = [
    "./lab hint 02.1            the next hint, and those before it",
    "./lab hint 02.1 --again    those that you have seen",
]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The task and the options."""
    parser.add_argument("task", metavar="NN.T", help="the task: 02.1")
    parser.add_argument("--again", action="store_true", help="no new hint, those seen before")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> int:
    """Show it and record that it was shown."""
    from kubelab import hints, labs

    site = here()
    if "." not in chosen.task:
        lab = labs.find(site.root, chosen.task)
        first = next(iter(lab.tasks))
        raise UsageError(
            f"A hint is for one task; lab {lab.number} has {', '.join(lab.tasks)}.",
            look=f"./lab hint {first}",
        )
    shown = hints.following(site, chosen.task, again=chosen.again)
    print(json.dumps(asdict(shown), indent=2) if chosen.json else hints.text(shown))
    return 0
