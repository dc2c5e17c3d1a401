"""Where everything is: one class from which every path of a checkout follows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEARNER = "kubelab"
TEST = "kubelab-test"


@dataclass(frozen=True)
class Site:
    """One cluster of the course and the files that belong to it.

    `name` is the kind cluster's name: `kubelab` for the learner, `kubelab-test` for the
    project's own tests, which never touch what belongs to the learner.
    """

    name: str = LEARNER
    root: Path = ROOT

    @property
    def state(self) -> Path:
        """What the course keeps for itself; `down --purge` removes it."""
        base = self.root / ".kubelab"
        return base if self.name == LEARNER else base / self.name

    @property
    def work(self) -> Path:
        """The learner's notebooks, saved objects and results; never removed."""
        return self.root / "work" if self.name == LEARNER else self.state / "work"

    @property
    def results(self) -> Path:
        """One result record a line (JSON Lines)."""
        return self.work / "results.jsonl"

    @property
    def kubeconfig(self) -> Path:
        """The course's own administrator kubeconfig; the user's is never written."""
        return self.state / "kubeconfig"

    @property
    def context(self) -> str:
        """The context that kind names after the cluster."""
        return f"kind-{self.name}"

    def lab_kubeconfig(self, lab: str) -> Path:
        """The learner's kubeconfig of lab `NN`: its namespace is `lab-NN`."""
        return self.state / "labs" / lab / "kubeconfig"

    @property
    def current_kubeconfig(self) -> Path:
        """A link to the kubeconfig of the lab that was started last."""
        return self.state / "labs" / "current"

    @property
    def progress(self) -> Path:
        """What `up` is doing, for the set-up cell of a notebook (JSON)."""
        return self.state / "up.json"

    @property
    def log(self) -> Path:
        """The full output of what `up` runs."""
        return self.state / "up.log"

    @property
    def environment(self) -> Path:
        """The virtual environment that the shim `lab` makes."""
        return self.root / ".venv"


def here() -> Site:
    """The site of this process: `KUBELAB_CLUSTER` names it, else the learner's."""
    return Site(name=os.environ.get("KUBELAB_CLUSTER") or LEARNER)


def cache() -> Path:
    """The user's cache, shared by every checkout: downloads, build stages, kind and kubectl."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "kubelab"


def write(file: Path, text: str, mode: int = 0o666) -> None:
    """Write a file whole or not at all, whenever this process is ended; folders are made.

    `mode` holds, less the user's mask, from the first byte on.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.partial")
    partial.unlink(missing_ok=True)  # What was left behind would keep its own mode.
    partial.touch(mode)
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)


def tools() -> Path:
    """Where the course keeps its own kind and kubectl."""
    return cache() / "bin"
