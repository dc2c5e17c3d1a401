"""Go to a lab: the course solves every lab before it that you have not started, and starts it.

Labs that you have started are left as they are.
"""

from __future__ import annotations

import argparse

from kubelab.site import here
from kubelab.words import said

EXAMPLES = ["./lab goto 04    labs before 04 as they are at their end, then ./lab start 04"]
INTERRUPTED = "Interrupted. `./lab goto` can be run again; it makes what is missing."


def arguments(parser: argparse.ArgumentParser) -> None:
    """The lab."""
    parser.add_argument("lab", metavar="NN", help="the lab: 4, 04 or 04-rolling-updates")


def run(chosen: argparse.Namespace) -> int:
    """Do it and say where it is."""
    from kubelab import solving

    lab = solving.goto(here(), chosen.lab)
    print(said(f"Lab {lab.number} is started: namespace {lab.namespace}."))
    print(said(f"kubectl works in it: ./lab shell {lab.number}, or a cell of its notebook."))
    return 0
