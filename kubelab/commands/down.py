"""Save your objects, then remove the cluster and stop JupyterLab and an engine of the course's.

Your objects are saved under work/NN/. Nothing in work/ is ever removed, also by --purge, which
removes the images, the caches, .kubelab/ (the chosen language with it), the tests' cluster and the
Python environment too.
"""

from __future__ import annotations

import argparse
import shutil
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kubelab import consent, following
from kubelab.errors import EnvironmentFault, KubelabError
from kubelab.site import TEST, Site, cache, here
from kubelab.words import said

if TYPE_CHECKING:
    from kubelab.engine import Engine

EXAMPLES = [
    "./lab down                  `./lab up` makes it again in about 80 s",
    "./lab down --purge          also images, caches, environment; not work/",
    "./lab down --purge --yes    the same without a question",
]
# How often a folder is removed into which something writes.
TRIES = 10
INTERRUPTED = "Interrupted. `./lab down` goes on where it stopped."


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--purge", action="store_true", help="remove images, caches, environment")
    parser.add_argument("--yes", action="store_true", help="ask nothing")


def run(chosen: argparse.Namespace) -> int:
    """Do it, step by step; what is not there is no error."""
    from kubelab import engine

    site = here()
    if chosen.purge and not chosen.yes:
        agreed("This removes the course's images, caches and environment; work/ stays.")
    with following.alone(site, "down", wait=False):
        docker = started() if chosen.purge else engine.find()
        save(site, docker, sure=chosen.yes)
        stop(site, docker)
        if chosen.purge:
            purge(site, docker)
        if engine.stop_ours():
            say("The container engine is stopped.")
    say(f"Your work stays in {site.work}. `./lab up` makes the rest again.")
    if chosen.purge:
        sys.stdout.flush()
        remove(site.environment)  # This very Python lives in it: nothing is imported after this.
    return 0


def started() -> Engine | None:
    """The engine, started where it is installed and off: the course's images are in its hands."""
    from kubelab import engine

    docker = engine.find()
    # Where half of one is missing, `connect` would install it first.
    if docker is not None or not (shutil.which("dockerd") and shutil.which("docker")):
        return docker
    try:
        return engine.connect()
    except EnvironmentFault as error:
        say(f"{error.message} The course's images stay where they are.")
        return None


def save(site: Site, docker: Engine | None, *, sure: bool) -> None:
    """Save the objects of every lab; a cluster that can't be read is removed only on request."""
    from kubelab import cluster, learner

    if docker is None or not cluster.exists(site, docker):
        return
    try:
        for file in learner.save(site):
            say(f"Saved {file}.")
    except KubelabError as error:
        if not sure:
            raise EnvironmentFault(
                f"Your objects can't be saved: {error.message} Nothing was stopped. "
                "Bring the cluster back first, or lose them with `./lab down --yes`.",
                look="./lab up",
            ) from error
        say(f"Your objects were not saved: {error.message}")


def stop(site: Site, docker: Engine | None) -> None:
    """Stop JupyterLab and remove the cluster with what leads to it."""
    from kubelab import cluster, jupyter

    if jupyter.stop(site):
        say("JupyterLab is stopped.")
    if docker is None:
        say("No container engine answers, so no cluster was removed.")
    elif cluster.delete(site, docker):
        say("The cluster is removed.")
    # Kubeconfigs of a cluster that is gone would lead to whatever listens there next.
    remove(site.current_kubeconfig.parent)
    site.progress.unlink(missing_ok=True)


def purge(site: Site, docker: Engine | None) -> None:
    """Remove images, caches and state of this checkout; its tests' cluster too."""
    from kubelab import nodeimage

    if docker is not None:
        stop(Site(TEST, site.root), docker)
        nodeimage.remove(docker)
        say("The course's images are removed.")
    for folder in (cache(), Site(root=site.root).state):
        remove(folder)
        say(f"Removed {folder}.")


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, also what is read-only, as Go's modules can be."""
    for left in reversed(range(TRIES)):
        if not folder.exists():
            return
        try:
            shutil.rmtree(folder)
        except OSError as error:
            # Besides, the packages of a new environment may still be compiled into it.
            if not left:
                raise
            for path in folder.rglob("*") if isinstance(error, PermissionError) else ():
                if path.is_dir() and not path.is_symlink():
                    path.chmod(stat.S_IRWXU)


def agreed(what: str) -> None:
    """Ask; raises UsageError where nobody can answer, and on any answer but yes."""
    consent.agreed(what, look="./lab down --purge --yes", otherwise="Nothing was removed.")


def say(line: str) -> None:
    """One line of progress."""
    print(said(line), flush=True)
