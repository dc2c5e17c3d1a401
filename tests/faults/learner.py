"""The command `./lab` as a learner with bad luck uses it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubelab import engine, progress
from kubelab.commands import up
from kubelab.site import Site

PATIENCE = 600.0
# What the images of a pull, and Contour's manifests, come from.
HOSTS = ("docker.io", "ghcr.io", "registry.k8s.io", "raw.githubusercontent.com")


@dataclass
class Lab:
    """The command `./lab` on the tests' site, with an environment of its own."""

    site: Site
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.command(*arguments), env=self.environ(environment), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own, as a terminal does."""
        return subprocess.Popen(
            self.command(*arguments), env=self.environ({}), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def command(self, *arguments: str) -> list[str]:
        return [str(self.site.root / "lab"), *arguments]

    def environ(self, more: dict[str, str]) -> dict[str, str]:
        return {**os.environ, "KUBELAB_CLUSTER": self.site.name, **self.environment, **more}

    def interrupt_in(self, stage: str, ready: Callable[[], object] = lambda: True) -> None:
        """Press Ctrl-C while `up` is in a stage, once `ready` says that the moment has come.

        It ends with one sentence and exit code 130, and its record says so to a notebook.
        """
        self.site.progress.unlink(missing_ok=True)
        running = self.start("up", "--no-open")
        began = watch(lambda: running.poll() is not None or bool(self.in_stage(stage) and ready()))
        ended = running.poll() is not None
        if not ended:
            os.killpg(running.pid, signal.SIGINT)
        printed, _ = running.communicate(timeout=120)
        assert began, f"`up` did not come to {stage}: {printed}"
        assert not ended, f"`up` ended before {stage}: {printed}"
        assert running.returncode == 130, printed
        assert f"\n{up.INTERRUPTED}\n" in printed
        assert "Traceback" not in printed
        record = progress.read(self.site.progress)
        assert record is not None
        assert record["state"] == "interrupted"

    def in_stage(self, name: str) -> bool:
        record = progress.read(self.site.progress) or {"stages": []}
        return any(s["name"] == name and s["state"] == "running" for s in record["stages"])

    def status(self) -> dict[str, Any]:
        """What `./lab status` says."""
        told: dict[str, Any] = json.loads(self.run("status", "--json").stdout)
        return told

    def jupyterlabs(self) -> list[int]:
        """The ids of the JupyterLabs that serve this site's notebooks."""
        return at_work("jupyterlab", f"root_dir={self.site.work}")

    def kubectl(self, *arguments: str, lab: str = "02") -> str:
        """kubectl as the learner types it."""
        done = self.run("shell", lab, "--", "kubectl", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.kubectl(*arguments, "-o", "json"))["items"]
        return found


def watch(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Whether a condition came true before the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def images() -> set[str]:
    """The references of every image; layers between two steps have none.

    An engine that the tests' `up` started was stopped by their `down`: it is started again.
    """
    listed = engine.connect().run("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
    return {name for name in listed if "<none>" not in name}


def at_work(*words: str) -> list[int]:
    """The ids of this machine's processes with all these words in their command lines."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if all(word in line for word in words):
            found.append(int(folder.name))
    return found


def processes(name: str) -> list[int]:
    """The ids of this machine's processes of a name; those inside of nodes are not among them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")[0].decode()
            inside = os.readlink(folder / "ns" / "pid") != os.readlink("/proc/self/ns/pid")
        except OSError:
            continue
        if Path(command).name == name and not inside:
            found.append(int(folder.name))
    return found
