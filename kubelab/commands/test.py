"""Run the project's own tests: style and types, unit tests, then a cluster of their own.

The cluster is called kubelab-test, has its own ports, kubeconfig and work folder, and is removed
at the end. Your cluster and your work are not touched.
"""

from __future__ import annotations

import argparse

EXAMPLES = [
    "./lab test             all but the slow faults",
    "./lab test --banks     the same with every answer of every bank",
    "./lab test --quick     without a cluster, under a minute",
    "./lab test --look      the notebooks in JupyterLab and Chromium alone",
    "./lab test --faults    the slow faults alone: interruptions, a lost engine",
]
INTERRUPTED = "Interrupted. The tests' cluster is removed."


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--quick", action="store_true", help="no cluster, under a minute")
    which.add_argument("--banks", action="store_true", help="with every answer of the banks")
    which.add_argument("--look", action="store_true", help="the notebooks in a browser alone")
    which.add_argument("--faults", action="store_true", help="the slow faults alone")


def run(chosen: argparse.Namespace) -> int:
    """Run them; 0 where all passed, 1 where one failed, 4 where one could not be run."""
    from kubelab.testrun import run as run_tests

    asked = (name for name in ("quick", "banks", "look", "faults") if getattr(chosen, name))
    return run_tests(next(asked, "all"))
