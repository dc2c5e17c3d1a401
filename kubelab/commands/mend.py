"""Make the control plane whole: put the manifests of its components back, wait until they answer.

It may be run at any time, and again: what runs is left alone.
"""

from __future__ import annotations

import argparse

from kubelab.site import here
from kubelab.words import said

EXAMPLES = ["./lab mend"]
INTERRUPTED = "Interrupted. Run `./lab mend` again: it goes on where it stopped."


def arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(chosen: argparse.Namespace) -> int:
    """Do it, and say what was put back."""
    from kubelab import controlplane

    back = controlplane.mend(here())
    if back:
        print(said(f"Put back: {', '.join(back)}."))
    print(said("The control plane is whole: each of its components answers."))
    return 0
