"""pytest-kind's fixture made safe: it attaches to the course's cluster, and to nothing else.

As released (22.11.1) it downloads kind 0.17.0 for amd64, creates a cluster where it finds none,
deletes it at the end, cannot attach to an empty kubeconfig, and starts ten port-forwards at once.
The plugin is found by pytest and handed its options; nothing of it is imported here (GPL).
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubelab.errors import EnvironmentFault, NoCluster
from kubelab.site import Site

PLUGIN = "pytest-kind"
FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")
START = 10.0


def configure(config: pytest.Config, site: Site) -> None:
    """Hand pytest-kind our cluster, our kubeconfig and never the permission to delete."""
    if not config.pluginmanager.hasplugin(PLUGIN):
        return
    config.option.keep_cluster = True
    config.option.cluster_name = site.name
    config.option.kubeconfig = str(site.kubeconfig)


def require(config: pytest.Config, site: Site) -> None:
    """Make sure that the fixture will find everything, so that it makes and loads nothing.

    Raises NoCluster, ForeignCluster or EnvironmentFault.
    """
    from kubelab import tools
    from kubelab.api import connect

    if not config.pluginmanager.hasplugin(PLUGIN):
        raise EnvironmentFault("pytest-kind is not installed.", look="./lab doctor")
    connect(site)
    kind, kubectl = tools.kind(), tools.kubectl()
    config.option.kind_bin, config.option.kind_kubectl_bin = str(kind), str(kubectl)
    # The fixture asks in the same way, and creates what it does not find in the answer.
    answer = subprocess.run(
        [str(kind), "get", "clusters"], capture_output=True, text=True, timeout=20, check=False
    )
    if site.name not in answer.stdout.split():
        raise NoCluster(f"kind knows no cluster {site.name}.", look="./lab up")


def tame(cluster: Any) -> Any:
    """The fixture's cluster with its two dangerous methods replaced."""
    kubectl, kubeconfig = Path(cluster.kubectl_path), Path(cluster.kubeconfig_path)

    def refuse(*_: Any, **__: Any) -> None:
        raise EnvironmentFault(
            f"Tests do not delete the cluster {cluster.name}.", look="./lab down"
        )

    @contextlib.contextmanager
    def port_forward(
        target: str, remote_port: int, *args: str, local_port: int | None = None, retries: int = 1
    ) -> Iterator[int]:
        del retries  # One process that tells its port needs none.
        ports = f"{local_port or ''}:{remote_port}"
        with forwarded([str(kubectl), "port-forward", target, ports, *args], kubeconfig) as port:
            yield port

    # The folder for what it would have downloaded.
    for folder in (Path(cluster.path), Path(cluster.path).parent):
        with contextlib.suppress(OSError):
            folder.rmdir()
    cluster.delete = refuse
    cluster.port_forward = port_forward
    return cluster


@contextlib.contextmanager
def forwarded(command: list[str], kubeconfig: Path) -> Iterator[int]:
    """Run one `kubectl port-forward` and give its local port; it ends with the block."""
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        # A command that says nothing must not be waited for without an end.
        limit = threading.Timer(START, process.kill)
        limit.start()
        try:
            yield told_port(process)
        finally:
            limit.cancel()
            process.kill()


def told_port(process: subprocess.Popen[str]) -> int:
    """The port that `kubectl port-forward` says it listens on; raises EnvironmentFault."""
    said = ""
    for line in process.stdout or ():
        said += line
        found = FORWARDING.search(line)
        if found:
            return int(found.group(1))
    raise EnvironmentFault(f"kubectl port-forward ended: {said.strip() or 'no word from it'}")
