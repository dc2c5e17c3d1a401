"""A shell, or one command, with kubectl set to a lab's namespace.

Without a lab it is the one that was started last; before the first, the whole cluster.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from kubelab.errors import UsageError
from kubelab.site import ROOT, Site, here, tools
from kubelab.words import tell

EXAMPLES = [
    "./lab shell 02                        a shell; `exit` leaves it",
    "./lab shell 02 -- kubectl get pods    one command",
    "./lab shell -- kubectl get nodes",
]
# What stands after `--` is the command's own; argparse must not read it.
AFTER = "CMD"
STARTUP = ROOT / "kubelab" / "terminal.bash"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The lab and the command."""
    parser.usage = "./lab shell [-h] [NN] [-- CMD ...]"
    parser.add_argument("words", nargs="*", metavar="NN", help="the lab: 2, 02 or 02-pods")


def run(chosen: argparse.Namespace) -> int:
    """Become the shell or the command; its exit code is the answer."""
    from kubelab import cluster

    site = here()
    lab, command = checked(chosen.words, chosen.after)
    cluster.require(site)
    config = kubeconfig(site, lab)
    environment = variables(site, config, os.environ)
    if not command:
        command = interactive(environment.get("SHELL", ""))
        tell(f"kubectl works with {config}. `exit` leaves this shell.")
    sys.stdout.flush()
    try:
        os.execvpe(command[0], command, environment)
    except OSError as error:
        raise UsageError(f"`{command[0]}` can't be run: {error.strerror}.") from None


def checked(words: list[str], after: list[str] | None) -> tuple[str | None, list[str]]:
    """The lab and the command of `[NN] [-- CMD...]`. Raises UsageError."""
    if after == []:
        raise UsageError("There is no command after `--`.", look="./lab shell --help")
    if len(words) > 1:
        raise UsageError(
            "A command comes after `--`.", look=f"./lab shell {words[0]} -- {' '.join(words[1:])}"
        )
    return (words[0] if words else None), after or []


def kubeconfig(site: Site, lab: str | None) -> Path:
    """The kubeconfig to use. Raises UsageError for a lab that is not there or not started."""
    if lab is None:
        last = site.current_kubeconfig
        return last if last.exists() else site.kubeconfig
    from kubelab import labs

    number = labs.find(site.root, lab).number
    file = site.lab_kubeconfig(number)
    if not file.exists():
        raise UsageError(f"Lab {number} is not started.", look=f"./lab start {number}")
    return file


def variables(site: Site, config: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment: the kubeconfig, and the course's programs first on the PATH."""
    first = [str(site.root), str(tools()), str(Path(sys.executable).parent)]
    rest = [one for one in inherited.get("PATH", os.defpath).split(os.pathsep) if one not in first]
    return {
        **inherited,
        "KUBECONFIG": str(config),
        "KUBELAB_CLUSTER": site.name,
        "KUBELAB_PATH": os.pathsep.join(first),
        "KUBELAB_ROOT": os.getcwd(),  # Where the start-up file goes to: the shell stays here.
        "PATH": os.pathsep.join([*first, *rest]),
    }


def interactive(shell: str) -> list[str]:
    """The user's shell; bash reads a start-up file that keeps the course's PATH in front."""
    if not shell or shell.endswith("/bash"):
        return [shell or "bash", "--rcfile", str(STARTUP), "-i"]
    return [shell]
