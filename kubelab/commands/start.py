"""Start a lab: its namespace, its start state and a kubeconfig of its own.

On a started lab it changes nothing. While `./lab up` is at work it waits and shows how far it is.
"""

from __future__ import annotations

import argparse

from kubelab import following
from kubelab.errors import NoCluster
from kubelab.site import Site, here
from kubelab.words import said

EXAMPLES = ["./lab start 02", "./lab start 02-pods"]
INTERRUPTED = "Interrupted. `./lab start` can be run again; it makes what is missing."


def arguments(parser: argparse.ArgumentParser) -> None:
    """The lab."""
    parser.add_argument("lab", metavar="NN", help="the lab: 2, 02 or 02-pods")


def run(chosen: argparse.Namespace) -> int:
    """Start it and say where it is."""
    from kubelab import labs, learner

    site = here()
    lab = labs.find(site.root, chosen.lab)
    _wait_for_up(site)
    fresh = learner.start(site, lab.number)
    how = "is started" if fresh else "was started before; nothing was changed"
    print(said(f"Lab {lab.number} {how}: namespace {lab.namespace}."))
    print(said(f"kubectl works in it: ./lab shell {lab.number}, or a cell of its notebook."))
    return 0


def _wait_for_up(site: Site) -> None:
    record = following.follow(site)
    if site.kubeconfig.exists():
        return
    if record is not None and record["state"] in ("failed", "interrupted"):
        why = record["message"] or "it was interrupted."
        raise NoCluster(f"There is no cluster: `./lab up` did not end well: {why}", look="./lab up")
    raise NoCluster("There is no cluster yet.", look="./lab up")
