"""Stop a component of the control plane, run a command, and bring the component back.

It comes back also after Ctrl-C, and after two minutes whatever becomes of the command.
"""

from __future__ import annotations

import argparse

from kubelab.errors import UsageError
from kubelab.site import here
from kubelab.words import tell

EXAMPLES = [
    "./lab without kube-scheduler -- sleep 10",
    "./lab without kube-apiserver -- curl http://localhost:8088/",
    "./lab without kube-controller-manager -- kubectl get pods",
]
INTERRUPTED = "Interrupted. The component is back; `./lab mend` makes sure."
# What stands after `--` is the command's own; argparse must not read it.
AFTER = "CMD"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The component and the command."""
    parser.usage = "./lab without [-h] COMPONENT -- CMD ..."
    parser.add_argument("component", metavar="COMPONENT", help="kube-controller-manager, ...")


def run(chosen: argparse.Namespace) -> int:
    """Do it; the command's exit code is the answer."""
    from kubelab import controlplane

    if not chosen.after:
        raise UsageError(
            "A command comes after `--`.", look=f"./lab without {chosen.component} -- sleep 10"
        )
    site = here()
    environment = controlplane.environment_of(site)
    return controlplane.without(site, chosen.component, chosen.after, environment, tell=tell)
