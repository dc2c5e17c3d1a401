"""Answers to a lab: read from their first line, and given as a learner would give them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from kubelab import acting, learner, removal, tools
from kubelab import site as sites
from kubelab.api import Cluster, connect
from kubelab.errors import UsageError
from kubelab.labs import LOADER, Lab
from kubelab.proofs import Proofs
from kubelab.site import ROOT, Site

# What one answer may take, in seconds: a history waits for rollouts.
PATIENCE = 300.0
ENDINGS = (".yaml", ".sh")
# Namespaces of answers: nobody's work, removed at the end.
TRIAL = "kubelab.dev/trial"
# What the API server says of objects whose spec stays as it was made.
FIXED = re.compile(
    r'^The (Pod|Job) "([^"]+)" is invalid:(?:.|\n\*)*?(?:may not (?:change|add)|immutable)',
    re.MULTILINE,
)

Done = subprocess.CompletedProcess[str]


class NotApplied(Exception):
    """An answer that the cluster or the shell does not take; the message is theirs."""


@dataclass(frozen=True)
class Answer:
    """One answer, and what its first line expects: verdict and reason; task None is a right one."""

    file: Path
    task: str | None
    verdict: str
    reason: str | None

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.file.stem

    @property
    def kind(self) -> str:
        """`right` or `wrong`."""
        return "right" if self.task is None else "wrong"


def read(file: Path) -> Answer:
    """Read `# pass` or `# 02.1 fail wrong-label` from an answer; raises UsageError otherwise."""
    lines = file.read_text(encoding="utf-8").splitlines()
    if lines and lines[0].startswith("#!"):
        lines = lines[1:]
    words = lines[0].lstrip("# ").split() if lines else []
    match words:
        case ["pass"]:
            return Answer(file, None, "pass", None)
        case [task, ("fail" | "not_yet") as verdict, reason]:
            return Answer(file, task, verdict, reason)
    raise UsageError(
        f"{file.name}: the first line is neither `# pass` nor `# NN.T fail REASON` (or `not_yet`).",
        look=f"head -1 {file}",
    )


def every(folder: Path) -> list[Answer]:
    """All answers of a folder, by name; raises UsageError for one that can't be read."""
    return [read(file) for file in sorted(folder.iterdir()) if file.suffix in ENDINGS]


def solution(lab: Lab) -> list[Path]:
    """The files of the reference, in the order in which they are applied."""
    return [file for file in sorted(lab.solution.iterdir()) if file.suffix in ENDINGS]


def apply(files: Iterable[Path], kubeconfig: Path) -> None:
    """Give answers as the learner would: kubectl for a manifest, bash for a history.

    Raises NotApplied with the message of what refused it.
    """
    kubectl = tools.kubectl()
    environment = {
        **os.environ,
        "KUBECONFIG": str(kubeconfig),
        # `lab` is a command that a learner has, too.
        "PATH": os.pathsep.join(
            [str(kubectl.parent), str(ROOT), os.environ.get("PATH", os.defpath)]
        ),
    }
    for file in files:
        if file.suffix == ".sh":
            done = run(["bash", "-euo", "pipefail", file.name], file, environment)
        else:
            done = applied(str(kubectl), file, environment)
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
            raise NotApplied(f"{file.name} ended with code {done.returncode}: {' '.join(said)}")


def applied(kubectl: str, file: Path, environment: Mapping[str, str]) -> Done:
    """Apply a manifest; what can't be changed in place, a Pod or a Job, is made anew by name."""
    done = run([kubectl, "apply", "-f", file.name], file, environment)
    fixed = FIXED.findall(done.stderr) if done.returncode else []
    if not fixed:
        return done
    for kind, name in fixed:
        delete = [kubectl, "delete", kind.lower(), name, "--grace-period=1", "--ignore-not-found"]
        run(delete, file, environment)
    return run([kubectl, "apply", "-f", file.name], file, environment)


def run(command: list[str], file: Path, environment: Mapping[str, str]) -> Done:
    """Run a command beside an answer's file; raises NotApplied where it comes to no end."""
    try:
        return subprocess.run(
            command,
            cwd=file.parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotApplied(f"{file.name} did not end within {PATIENCE:.0f} s.") from None


@dataclass(frozen=True)
class Place:
    """A started lab in a namespace of its own, with a kubeconfig of its learner's."""

    site: Site
    lab: Lab
    namespace: str
    kubeconfig: Path


@contextmanager
def place(site: Site, lab: Lab, name: str, folder: Path) -> Iterator[Place]:
    """A lab started in the namespace `<name>-lab-NN`, removed afterwards; files go to `folder`."""
    namespace = f"{name}-lab-{lab.number}"
    cluster = connect(site)
    learner.start(site, lab.number, namespace=namespace)
    cluster.patch("Namespace", namespace, {"metadata": {"labels": {TRIAL: "true"}}})
    config = yaml.load(site.kubeconfig.read_text(encoding="utf-8"), Loader=LOADER)
    file = folder / f"{namespace}.kubeconfig"
    text = yaml.safe_dump(learner.learners(config, site.context, namespace))
    sites.write(file, text, mode=0o600)
    try:
        yield Place(site, lab, namespace, file)
    finally:
        remove(cluster, namespace)


def remove(cluster: Cluster, namespace: str) -> None:
    """Remove the namespace of a trial, with everything that the course keeps about it."""
    acting.mend(cluster, namespace)
    Proofs(cluster, namespace).forget()
    learner.forget_baseline(cluster, namespace)
    removal.begin(cluster, namespace)
