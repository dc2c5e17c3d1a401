"""Answers of a bank tried on the real cluster, each in a namespace of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kubelab import labs, learner, tools
from kubelab.acting import Proofs
from kubelab.api import connect
from kubelab.site import Site


@dataclass(frozen=True)
class Answer:
    """One answer of the bank, and what its first line says of it."""

    file: Path
    task: str | None
    verdict: str
    reason: str | None

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.file.stem


def read(file: Path) -> Answer:
    """Read `# pass` or `# 02.1 fail wrong-label` from the first line of an answer."""
    words = file.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").split()
    if words == ["pass"]:
        return Answer(file, None, "pass", None)
    task, verdict, reason = words
    return Answer(file, task, verdict, reason)


def bank(lab: labs.Lab) -> list[Answer]:
    """All answers of a lab's bank."""
    return [read(file) for file in sorted(lab.bank.glob("*.yaml"))]


@dataclass(frozen=True)
class Place:
    """A started lab in a namespace of its own."""

    site: Site
    lab: labs.Lab
    namespace: str
    kubeconfig: Path

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl as the learner would, in this namespace; raises with its message."""
        command = [str(tools.kubectl()), "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def check(self, selector: str, *more: str) -> tuple[int, dict[str, Any]]:
        """The exit code and the record of one check, run as a command."""
        done = self.command(selector, "--json", *more)
        assert done.stdout, done.stderr
        (record,) = json.loads(done.stdout)
        return done.returncode, record

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a check as a command."""
        command = [sys.executable, "-m", "kubelab.runner", "--namespace", self.namespace]
        return subprocess.run(
            [*command, *arguments],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            cwd=self.site.root,
            env={**os.environ, "KUBELAB_CLUSTER": self.site.name},
        )


@contextmanager
def place(site: Site, lab: labs.Lab, name: str, folder: Path) -> Iterator[Place]:
    """A lab started in the namespace `<name>-lab-NN`, removed afterwards."""
    namespace = f"{name}-lab-{lab.number}"
    cluster = connect(site)
    learner.start(site, lab.number, namespace=namespace)
    config = yaml.safe_load(site.kubeconfig.read_text(encoding="utf-8"))
    file = folder / f"{namespace}.kubeconfig"
    learners = learner.learners(config, site.context, namespace)
    file.write_text(yaml.safe_dump(learners), encoding="utf-8")
    try:
        yield Place(site, lab, namespace, file)
    finally:
        Proofs(cluster, namespace).forget()
        cluster.delete("Namespace", namespace)
