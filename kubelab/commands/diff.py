"""Compare your objects of a lab with the reference, as objects: a line a difference.

Order, spelling and what the server fills in make no difference. It is for after the lab: before
every task is done it needs --show, and that is recorded.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from kubelab.site import here

EXAMPLES = [
    "./lab diff 02           after its tasks are done",
    "./lab diff 02 --show    before that; recorded as the reference seen",
]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The lab and the options."""
    parser.add_argument("lab", metavar="NN", help="the lab: 2, 02 or 02-pods")
    parser.add_argument("--show", action="store_true", help="show the reference before the end")
    parser.add_argument("--namespace", metavar="NAME", help="the lab in another namespace")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> int:
    """Print the differences; that there are some is no error."""
    from kubelab import comparison, labs

    site = here()
    lab = labs.find(site.root, chosen.lab)
    found = comparison.reveal(site, lab, chosen.namespace, show=chosen.show)
    print(json.dumps(asdict(found), indent=2) if chosen.json else comparison.text(found))
    return 0
