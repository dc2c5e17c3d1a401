"""What a learner types, and what the terminal answers."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubelab.answers import apply
from kubelab.labs import Lab
from kubelab.site import Site
from kubelab.verdict import Verdict

PATIENCE = 600.0
LOOKS = 3


@dataclass(frozen=True)
class Told:
    """The end of a command: its exit code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Learner:
    """One who walks through the course with the command `./lab` on the tests' site."""

    site: Site

    def types(self, *words: str) -> Told:
        """Type a command of `./lab`, and wait for its end."""
        done = subprocess.run(
            [str(self.site.root / "lab"), *words],
            cwd=self.site.root,
            env={**os.environ, "KUBELAB_CLUSTER": self.site.name},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Told(done.returncode, done.stdout, done.stderr)

    def checks(self, *words: str) -> Told:
        """Type a check, and again where it says that the cluster is still converging."""
        for _ in range(LOOKS):
            told = self.types("check", *words)
            if told.code != Verdict.NOT_YET.exit_code:
                break
        return told

    def answers(self, lab: Lab, *files: Path) -> None:
        """Do what an answer does, in the lab's own namespace; raises NotApplied."""
        apply(files, self.site.lab_kubeconfig(lab.number))

    def standing(self, lab: Lab) -> dict[str, Any]:
        """What `./lab status` says of a lab."""
        told = self.types("status", "--json").json
        found: dict[str, Any] = next(one for one in told["labs"] if one["lab"] == lab.number)
        return found
