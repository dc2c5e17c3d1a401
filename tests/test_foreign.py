"""A kubeconfig that leads to somebody else's cluster: what changes a cluster is refused there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from test_api import MARKER, MARKER_PATH, Server, configure, server, site

from kubelab import cli
from kubelab.site import Site, tools

__all__ = ["server", "site"]

COMMANDS = [
    "start 02",
    "check 02",
    "reset 02 --yes",
    "solve 02 --yes",
    "solve 02.1 --yes",
    "goto 03",
    "diff 02 --show",
    "without kube-scheduler -- true",
    "grade 02 --namespaces *",
    "bank 02 --only wrong-label",
]
# These have no cluster, or tell the course's own by what the engine says of it.
OTHERS = {"open", "hint", "status", "doctor", "new", "translate", "docs", "up", "down", "test"}
# As long as kubectl takes the marker for absent, it says nothing.
KUBECTL = """#!/bin/sh
echo "$*" >> {folder}/asked
[ ! -e {folder}/marker ] || exec /bin/cat {folder}/marker
"""


@pytest.fixture(params=["no marker", "another's marker"])
def kubectl(
    request: pytest.FixtureRequest,
    site: Site,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """What kubectl was asked; it and the API server are those of a cluster that is not ours.

    There is no engine, and nothing but this kubectl to run.
    """
    monkeypatch.setenv("KUBELAB_CLUSTER", "kubelab-unit")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    configure(Site("kubelab-unit"), f"http://127.0.0.1:{server.server_port}")
    del server.answers[MARKER_PATH]
    if request.param == "another's marker":
        server.answers[MARKER_PATH] = (200, MARKER)
        (tmp_path / "marker").write_text(json.dumps(MARKER))
    program = tools() / "kubectl"
    program.parent.mkdir(parents=True)
    program.write_text(KUBECTL.format(folder=tmp_path))
    program.chmod(0o755)
    return tmp_path / "asked"


def test_every_command_is_among_them() -> None:
    refused = {command.split()[0] for command in COMMANDS} | {"shell", "mend"}
    assert refused | OTHERS == set(cli.COMMANDS)
    assert not refused & OTHERS


def told(capsys: pytest.CaptureFixture[str]) -> str:
    """What a command said, on one line."""
    return " ".join("".join(capsys.readouterr()).split())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_refused_and_reads_the_marker_alone(
    kubectl: Path, server: Server, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert cli.main(command.split()) == 4
    sentence = "This cluster does not carry the course's marker object: nothing is done to it."
    assert sentence in told(capsys)
    assert {(method, path) for method, path, *_ in server.asked} == {("GET", MARKER_PATH)}
    assert not kubectl.exists()


def test_a_shell_is_refused_and_reads_the_marker_alone(
    kubectl: Path,
    server: Server,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "execvpe", lambda *words: pytest.fail(f"became {words}"))
    assert cli.main(["shell", "--", "true"]) == 4
    assert told(capsys).endswith(" Nothing was touched. look: ./lab up")
    assert " get configmap kubelab " in kubectl.read_text()
    assert len(kubectl.read_text().splitlines()) == 1
    assert server.asked == []


def test_mend_asks_the_engine_for_the_courses_own_node_and_not_that_cluster(
    kubectl: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["mend"]) == 4
    assert told(capsys) == "No container engine answers. look: ./lab up"
    assert server.asked == []
    assert not kubectl.exists()
