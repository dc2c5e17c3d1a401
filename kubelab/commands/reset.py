"""Begin a lab anew: your objects are saved, its namespace is removed, its start state comes back.

Your objects go to a file under work/NN/, which `kubectl apply` takes. What you passed stays passed.
"""

from __future__ import annotations

import argparse

from kubelab.site import here
from kubelab.words import said

EXAMPLES = [
    "./lab reset 02          asks before it begins",
    "./lab reset 02 --yes    asks nothing",
]
INTERRUPTED = "Interrupted. Run `./lab reset` again: it goes on where it stopped."


def arguments(parser: argparse.ArgumentParser) -> None:
    """The lab and the options."""
    parser.add_argument("lab", metavar="NN", help="the lab: 2, 02 or 02-pods")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    parser.add_argument("--namespace", metavar="NAME", help="the lab in another namespace")


def run(chosen: argparse.Namespace) -> int:
    """Do it, and say where the work is."""
    from kubelab import consent, labs, resetting

    site = here()
    lab = labs.find(site.root, chosen.lab)
    name = chosen.namespace or lab.namespace
    if not chosen.yes:
        consent.agreed(
            f"This saves your objects of lab {lab.number} and removes namespace {name}.",
            look=f"./lab reset {lab.number} --yes",
        )
    done = resetting.reset(site, lab.number, chosen.namespace)
    print("\n".join(map(said, resetting.told(done))))
    return 0
