"""An engine that dies, a busy port, a full disk, `down` in a lab, a foreign cluster."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

from learner import Lab, processes, watch

from kubelab import cluster, engine, progress, site, tools
from kubelab.nodeimage import sources


def pod(name: str) -> dict[str, Any]:
    """A Pod as a learner makes one."""
    container = {"name": "web", "image": "kubelab/web:1.0"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container]},
    }


def make(lab: Lab, tmp_path: Path, name: str) -> None:
    file = tmp_path / "pod.json"
    file.write_text(json.dumps(pod(name)))
    lab.kubectl("apply", "-f", str(file))
    lab.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")


def test_a_lost_engine_comes_back_with_the_cluster_and_the_learners_objects(
    up: Lab, own_engine: int, tmp_path: Path
) -> None:
    assert up.run("start", "02").returncode == 0
    make(up, tmp_path, "kept")
    uid = up.kubectl("get", "pod", "kept", "-o", "jsonpath={.metadata.uid}")
    jupyterlab = up.status()["jupyter"]["pid"]
    # As at a power cut: all at once, the containers' shims and JupyterLab too.
    engines = [own_engine, *processes("containerd"), *processes("containerd-shim-runc-v2")]
    for pid in [*engines, jupyterlab]:
        os.kill(pid, signal.SIGKILL)
    assert watch(lambda: not progress.alive(own_engine), 20)
    checked = up.run("check", "02.1")
    assert checked.returncode == 4, checked.stdout
    # The next day: one command says which one goes on.
    assert up.status()["jupyter"]["url"] is None
    assert up.run().stdout.endswith("  ./lab up\n")
    done = up.run("up", "--no-open")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "/lab/tree/index.ipynb?" in up.status()["jupyter"]["url"]
    assert up.kubectl("get", "pod", "kept", "-o", "jsonpath={.metadata.uid}") == uid
    up.kubectl("wait", "--for=condition=Ready", "pod/kept", "--timeout=120s")


def test_an_engine_whose_start_was_interrupted_is_found_and_is_the_courses(
    up: Lab, own_engine: int
) -> None:
    """It is started apart from the terminal, so Ctrl-C does not reach it."""
    assert up.run("down", "--yes").returncode == 0
    assert watch(lambda: not progress.alive(own_engine), 60)
    up.interrupt_in("engine", engine.started_by_us)
    assert watch(lambda: engine.find() is not None, 60)
    assert engine.started_by_us() not in (None, own_engine)
    assert up.run("up", "--no-open").returncode == 0


def test_down_while_a_lab_runs_saves_what_the_learner_made(up: Lab, tmp_path: Path) -> None:
    assert up.run("start", "02").returncode == 0
    make(up, tmp_path, "mine")
    done = up.run("down")
    assert done.returncode == 0, done.stderr
    saved = "".join(file.read_text() for file in (up.site.work / "02").rglob("*.yaml"))
    assert "name: mine" in saved
    assert "resourceVersion" not in saved
    assert up.run("up", "--no-open").returncode == 0


def test_a_busy_port_is_told_and_another_is_chosen(lab: Lab) -> None:
    lab.run("down", "--yes")
    with socket.socket() as busy:
        busy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        busy.bind(("127.0.0.1", 18080))
        busy.listen()
        done = lab.run("up", "--no-open")
    assert done.returncode == 0, done.stderr
    assert "Port 18080 is busy: using 18081." in done.stderr
    assert lab.status()["cluster"]["http_port"] == 18081


def test_a_disk_that_is_nearly_full_is_told_before_the_work_begins(
    lab: Lab, tmp_path: Path
) -> None:
    """A file system of 60 MB as the cache, and a node image that is not there."""
    lab.run("down", "--yes")
    small, changed = tmp_path / "small", tmp_path / "sources.toml"
    small.mkdir()
    changed.write_text((sources.IMAGES / "sources.toml").read_text() + "\n# Not there.\n")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(small)], check=True)
    try:
        done = lab.run("up", "--no-open", XDG_CACHE_HOME=str(small), KUBELAB_SOURCES=str(changed))
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)
    assert done.returncode == 4, done.stdout
    assert "needs 8 GB of disk" in done.stderr
    assert f"df -h {small}" in done.stderr


REFUSED = [
    "start 02",
    "check 02.1",
    "reset 02 --yes",
    "solve 02 --yes",
    "goto 02",
    "diff 02 --show",
    "without kube-scheduler -- true",
    "shell 02 -- kubectl delete pods --all",
    "grade 02 --namespaces *",
]
REFUSALS = (
    "This cluster does not carry the course's marker object: nothing is done to it.",
    "is not the course's: it has no ConfigMap `kubelab` in namespace kubelab-system. Nothing was",
)


def test_a_kubeconfig_of_somebody_elses_cluster_is_refused(up: Lab) -> None:
    """The marker taken away: the same cluster is then nobody's that the course knows."""

    def objects() -> set[tuple[str, int]]:
        found = up.items("get", "pods,deployments,configmaps,quota")
        return {(one["metadata"]["uid"], one["metadata"].get("generation", 0)) for one in found}

    assert up.run("start", "02").returncode == 0
    before = objects()
    admin = ["--kubeconfig", str(up.site.kubeconfig), "-n", "kubelab-system"]
    marker = up.run("shell", "--", "kubectl", *admin, "get", "cm", "kubelab", "-o", "json").stdout
    up.run("shell", "--", "kubectl", *admin, "delete", "cm", "kubelab")
    try:
        for command in REFUSED:
            done = up.run(*command.split())
            told = " ".join((done.stdout + done.stderr).split())
            assert done.returncode == 4, f"{command}: {told}"
            assert any(one in told for one in REFUSALS), f"{command}: {told}"
    finally:
        body = json.loads(marker)
        for field in ("resourceVersion", "uid", "creationTimestamp", "managedFields"):
            body["metadata"].pop(field, None)
        subprocess.run(
            # `./lab shell` refuses it too.
            [str(tools.kubectl()), *admin, "apply", "-f", "-"],
            input=json.dumps(body), text=True, check=True, env=up.environ({}),
        )  # fmt: skip
    assert objects() == before


def test_a_cluster_made_by_hand_in_the_place_of_the_courses_is_refused(up: Lab) -> None:
    """Told by the containers of its nodes: here the record names others."""

    def nodes() -> str:
        found = engine.find()
        assert found is not None
        return found.run("ps", "--all", "--no-trunc", "--quiet", *cluster._filter(up.site))

    before = nodes()
    file = cluster._intent(up.site)
    record = json.loads(file.read_text(encoding="utf-8"))
    assert sorted(record["containers"]) == sorted(before.split())
    try:
        site.write(file, json.dumps(record | {"containers": ["another"]}))
        for command in ("up --no-open", "down --yes"):
            done = up.run(*command.split())
            told = " ".join((done.stdout + done.stderr).split())
            assert done.returncode == 4, f"{command}: {told}"
            assert "that the course did not make. Nothing was touched." in told
    finally:
        site.write(file, json.dumps(record))
    assert nodes() == before
