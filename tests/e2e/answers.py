"""Labs started on the real cluster for a test, each in a namespace of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kubelab import answers, labs, tools
from kubelab.answers import Answer
from kubelab.site import Site


def bank(lab: labs.Lab) -> list[Answer]:
    """All answers of a lab's bank."""
    return answers.every(lab.bank)


def joined(text: str) -> str:
    """The text with its line breaks gone: where a name is long, a line is broken elsewhere."""
    return " ".join(text.split())


class Place(answers.Place):
    """A started lab in a namespace of its own, and what a learner does there."""

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl as the learner would, in this namespace; raises with its message."""
        command = [str(tools.kubectl()), "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def check(self, selector: str, *more: str) -> tuple[int, dict[str, Any]]:
        """The exit code and the record of one check, run as a command."""
        code, (record,) = self.records(selector, *more)
        return code, record

    def records(self, selector: str, *more: str) -> tuple[int, list[dict[str, Any]]]:
        """The exit code and the records of several checks, run as one command."""
        done = self.command(selector, "--json", *more)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a check as a command."""
        command = [sys.executable, "-m", "kubelab.runner", "--namespace", self.namespace]
        return subprocess.run(
            [*command, *arguments],
            capture_output=True,
            text=True,
            # All tasks of lab 06 may take nine minutes on a busy machine.
            timeout=600,
            check=False,
            cwd=self.site.root,
            env={**os.environ, "KUBELAB_CLUSTER": self.site.name},
        )


@contextmanager
def place(site: Site, lab: labs.Lab, name: str, folder: Path) -> Iterator[Place]:
    """A lab started in the namespace `<name>-lab-NN`, removed afterwards."""
    with answers.place(site, lab, name, folder) as found:
        yield Place(**vars(found))
