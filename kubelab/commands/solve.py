"""Let the course solve a lab, or one of its tasks, with its reference.

Your objects are saved first. It is recorded, so that a pass afterwards is marked as the course's.
"""

from __future__ import annotations

import argparse

from kubelab.site import here
from kubelab.words import said

EXAMPLES = [
    "./lab solve 02            all tasks of lab 02; asks before it begins",
    "./lab solve 02.3 --yes    one task, asks nothing",
]
INTERRUPTED = "Interrupted. `./lab solve` can be run again."


def arguments(parser: argparse.ArgumentParser) -> None:
    """The lab or task, and the options."""
    parser.add_argument("what", metavar="NN[.T]", help="a lab (02) or a task (02.1)")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    parser.add_argument("--namespace", metavar="NAME", help="the lab in another namespace")


def run(chosen: argparse.Namespace) -> int:
    """Do it, and say how to check it."""
    from kubelab import consent, solving

    site = here()
    lab, tasks, _ = solving.chosen(site, chosen.what)
    if not chosen.yes:
        consent.agreed(
            f"This saves your objects of lab {lab.number}, then puts the reference in their place "
            f"for {', '.join(tasks)}.",
            look=f"./lab solve {chosen.what} --yes",
        )
    done = solving.solve(site, chosen.what, chosen.namespace)
    if done.saved:
        print(said(f"Your objects are saved: {done.saved}"))
    solved = ", ".join(done.tasks)
    print(said(f"The course has solved {solved} in namespace {done.namespace}."))
    print(said(f"Look at it, then check it: ./lab check {chosen.what}"))
    return 0
