"""Pod images into a node image, the way kind's own build does it: nothing is pulled in a lab."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from kubelab.engine import Engine
from kubelab.errors import BuildFailed
from kubelab.nodeimage import layout
from kubelab.site import cache

ENTRYPOINT = 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]'
READY_TIMEOUT = 30.0
COMMIT_TIMEOUT = 600.0
# By name and not by label: a label would be committed into the image, and every node would bear it.
NAME = "kubelab-bake-"
# As kind imports: content only, unpacked when a node first starts a Pod; pinned against collection.
IMPORT = (
    "ctr", "--namespace=k8s.io", "images", "import", "--label=io.cri-containerd.pinned=pinned",
    "--local", "--all-platforms", "--no-unpack", "--digests", "-",
)  # fmt: skip


def bake(engine: Engine, root: str, pods: dict[str, list[str]], reference: str, log: Path) -> None:
    """Make `reference` from the node image `root` with `pods` in its containerd.

    `pods` maps a local image to the names it gets in the cluster. Raises BuildFailed.
    """
    parent = cache() / "tmp"
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as name:
        folder = Path(name)
        saved = folder / "saved.tar"
        engine.run("save", "--output", str(saved), *pods, log=log)
        archive = layout.write(saved, folder / "layout", pods)
        saved.unlink()
        remove_leftovers(engine, log)
        container = f"{NAME}{os.getpid()}"
        try:
            engine.run(
                "run", "--detach", "--name", container, "--entrypoint", "sleep", "--security-opt",
                "seccomp=unconfined", root, "infinity", log=log,
            )  # fmt: skip
            _import(engine, container, archive, log)
            engine.run(
                "commit", "--change", ENTRYPOINT, "--change", "CMD []",
                container, reference, log=log, timeout=COMMIT_TIMEOUT,
            )  # fmt: skip
        finally:
            remove_leftovers(engine, log)


def remove_leftovers(engine: Engine, log: Path) -> None:
    """Remove the containers of this and of interrupted bakings; only one bakes at a time."""
    listed = engine.run("ps", "--all", "--quiet", "--filter", f"name=^/{NAME}").split()
    if listed:
        engine.run("rm", "--force", "--volumes", *listed, log=log)


def _import(engine: Engine, container: str, archive: Path, log: Path) -> None:
    engine.run("exec", "--detach", container, "containerd", log=log)
    deadline = time.monotonic() + READY_TIMEOUT
    while True:
        try:
            engine.run("exec", container, "ctr", "--connect-timeout=2s", "version", log=log)
            break
        except BuildFailed:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
    with archive.open("rb") as stream:
        engine.run("exec", "--interactive", container, *IMPORT, stdin=stream, log=log, timeout=900)
    # Ends only when containerd has closed its database.
    engine.run(
        "exec", container, "bash", "-c",
        "pkill -x containerd; while pgrep -x containerd >/dev/null; do sleep 0.1; done; "
        "rm -rf /run/containerd", log=log, timeout=60,
    )  # fmt: skip
