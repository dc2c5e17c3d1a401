"""The cluster is only ever the course's own, and its ports are free ones."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from kubelab import cluster
from kubelab.engine import Engine
from kubelab.errors import BuildFailed, ForeignCluster, NoCluster
from kubelab.nodeimage import sources
from kubelab.progress import Stage
from kubelab.site import Site


class FakeEngine(Engine):
    """An engine that knows some node containers and notes what it is asked to do."""

    def __init__(self, nodes: list[str], running: list[str], image: str = "kubelab/node:1") -> None:
        super().__init__(version="0", ours=False)
        object.__setattr__(self, "image", image)
        object.__setattr__(self, "nodes", nodes)
        object.__setattr__(self, "running", running)

    def run(self, *args: str, **_: object) -> str:
        """Answer `docker ps`, and `docker inspect` of the nodes' images."""
        if args[0] == "inspect":
            return "\n".join([self.image] * len(self.nodes))  # type: ignore[attr-defined]
        assert args[0] == "ps", args
        if "--no-trunc" in args:
            return "\n".join(f"id-of-{one}" for one in self.nodes)  # type: ignore[attr-defined]
        return "\n".join(self.nodes if "--all" in args else self.running)  # type: ignore[attr-defined]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Site(root=tmp_path)


def intent(tmp_path: Path, root: Path, *, finished: bool) -> None:
    file = tmp_path / "cache" / "kubelab" / "clusters" / "kubelab.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"root": str(root), "finished": finished}))


def test_a_busy_port_is_passed_over() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        chosen = cluster.free_port(port)
    assert port < chosen < port + 100


def test_two_ports_are_never_the_same() -> None:
    first = cluster.free_port(28080)
    assert cluster.free_port(first, taken=[first]) != first


def test_without_a_kubeconfig_there_is_no_cluster(site: Site) -> None:
    with pytest.raises(NoCluster) as caught:
        cluster.require(site)
    assert caught.value.look == "./lab up"


def test_status_tells_absent_parts_as_none(site: Site) -> None:
    found = cluster.status(site)
    assert found.pop("name") == "kubelab"
    assert set(found) == {
        "context", "kubeconfig", "version", "nodes", "node_image", "http_port", "https_port",
    }  # fmt: skip
    assert set(found.values()) == {None}


@pytest.mark.parametrize("marker", [None, {}, {"data": {"cluster": "another"}}])
def test_a_cluster_without_the_marker_is_refused(site: Site, marker: dict[str, object]) -> None:
    with pytest.raises(ForeignCluster, match="Nothing was touched"):
        cluster.check_marker(marker, site)


def test_a_kind_cluster_of_the_same_name_that_the_course_did_not_make_is_refused(
    site: Site,
) -> None:
    with pytest.raises(ForeignCluster, match="did not make"):
        cluster._state(site, FakeEngine(["a"], ["a"]))


def test_the_cluster_of_another_checkout_is_refused(site: Site, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    intent(tmp_path, other, finished=True)
    with pytest.raises(ForeignCluster) as caught:
        cluster._state(site, FakeEngine(["a"], ["a"]))
    assert caught.value.look == f"{other}/lab down"


def test_the_cluster_of_a_checkout_that_is_gone_is_taken_over(site: Site, tmp_path: Path) -> None:
    intent(tmp_path, tmp_path / "gone", finished=True)
    assert cluster._state(site, FakeEngine(["a", "b"], ["a", "b"])) == "ours"


@pytest.mark.parametrize(
    ("nodes", "running", "finished", "state"),
    [
        ([], [], True, "absent"),
        (["a", "b", "c"], ["a", "b", "c"], True, "ours"),
        (["a", "b", "c"], ["a"], True, "stopped"),
        (["a"], ["a"], False, "unfinished"),
    ],
)
def test_states_of_a_cluster(
    site: Site,
    tmp_path: Path,
    nodes: list[str],
    running: list[str],
    finished: bool,
    state: str,
) -> None:
    intent(tmp_path, site.root, finished=finished)
    engine = FakeEngine(nodes, running)
    assert cluster._state(site, engine) == state
    assert cluster.runs(site, engine) is {"ours": True, "stopped": False}.get(state)
    assert cluster.exists(site, engine) is (state in ("ours", "stopped"))


def test_a_cluster_made_by_hand_in_the_place_of_the_courses_is_refused(site: Site) -> None:
    ours = FakeEngine(["a", "b"], ["a", "b"])
    cluster._write_intent(site, cluster._containers(site, ours))
    assert cluster._state(site, ours) == "ours"
    # A node that was added or taken away by hand leaves it the course's.
    assert cluster._state(site, FakeEngine(["b", "c"], ["b", "c"])) == "ours"
    with pytest.raises(ForeignCluster, match="did not make"):
        cluster._state(site, FakeEngine(["c"], ["c"]))


def test_the_node_image_is_known_by_its_name() -> None:
    assert sources.reference().startswith(cluster.NODE_IMAGE)


def test_a_cluster_made_by_hand_after_an_interrupted_one_is_refused(site: Site) -> None:
    cluster._write_intent(site)
    with pytest.raises(ForeignCluster, match="did not make"):
        cluster._state(site, FakeEngine(["a"], ["a"], image="kindest/node:v1.37.0@sha256:a1"))


def test_a_cluster_stays_the_courses_where_its_record_is_cut_in_the_middle(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent(tmp_path, site.root, finished=False)

    def cut(file: Path, text: str, **_: object) -> None:
        with file.open("w") as out:
            out.write(text[:9])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", cut)
        with pytest.raises(KeyboardInterrupt):
            cluster._write_intent(site, ["id-of-a"])
    assert cluster._state(site, FakeEngine(["a"], ["a"])) == "unfinished"


def test_a_kubectl_that_hangs_is_a_cluster_that_does_not_answer(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster.tools, "kubectl", lambda: hanging(tmp_path))
    monkeypatch.setattr(cluster, "KUBECTL_TIMEOUT", 0.2)
    site.kubeconfig.parent.mkdir()
    site.kubeconfig.touch()
    with pytest.raises(NoCluster, match="kubectl did not end within 0 s"):
        cluster.require(site)
    assert cluster.status(site)["version"] is None


def test_a_kind_that_hangs_is_ended(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "KIND_TIMEOUT", 0.2)
    command = [str(hanging(tmp_path)), "delete", "cluster"]
    with pytest.raises(BuildFailed, match="`kind delete cluster` did not end within 0 s"):
        cluster._run(command, tmp_path / "log")


def hanging(folder: Path) -> Path:
    """A program that never ends by itself."""
    program = folder / "program"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    return program


def test_every_addon_file_is_there_and_named_once() -> None:
    files = cluster.addon_files()
    assert files
    assert len(set(files)) == len(files)
    assert all(file.is_file() for file in files)


def node(name: str, ready: str) -> dict[str, Any]:
    """A node as the API tells it."""
    conditions = [{"type": "Ready", "status": ready}]
    return {"metadata": {"name": name}, "status": {"conditions": conditions}}


def test_every_node_is_waited_for_also_one_that_never_joined(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["kubelab-control-plane", "kubelab-worker", "kubelab-worker2"]
    first, second, third = names
    answers = [
        [node(first, "True")],
        [node(first, "True"), node(second, "False"), node(third, "Unknown")],
        [node(first, "True"), node(second, "True"), node(third, "True")],
    ]
    stage, notes = Stage("addons", "Add-ons", 1), list[str]()

    def kubectl(*_: object) -> str:
        notes.append(stage.note)
        return json.dumps({"items": answers.pop(0)})

    monkeypatch.setattr(cluster, "_kubectl", kubectl)
    cluster._wait_for_nodes(site, FakeEngine(names, names), stage)
    assert notes == ["", *["waiting for kubelab-worker, kubelab-worker2"] * 2]
    assert stage.note == ""


def test_a_node_that_does_not_come_is_named_with_what_brings_it_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["kubelab-control-plane", "kubelab-worker"]
    items = [node("kubelab-control-plane", "True")]
    monkeypatch.setattr(cluster, "_kubectl", lambda *_: json.dumps({"items": items}))
    monkeypatch.setattr(cluster, "READY_TIMEOUT", 0.2)
    with pytest.raises(NoCluster, match="for the nodes: not ready: kubelab-worker") as caught:
        cluster._wait_for_nodes(site, FakeEngine(names, names), Stage("addons", "Add-ons", 1))
    assert caught.value.look == "docker restart kubelab-worker"


@pytest.mark.parametrize("first", [[], ['{"items": []}']], ids=["silent", "goes silent"])
def test_an_api_server_that_does_not_answer_is_no_node_that_is_not_ready(
    site: Site, monkeypatch: pytest.MonkeyPatch, first: list[str]
) -> None:
    def kubectl(*_: object) -> str:
        if first:
            return first.pop()
        raise NoCluster("The cluster does not answer: connection refused", look="./lab up")

    names = ["kubelab-control-plane", "kubelab-worker"]
    monkeypatch.setattr(cluster, "_kubectl", kubectl)
    monkeypatch.setattr(cluster, "READY_TIMEOUT", 1)
    with pytest.raises(NoCluster, match=r"for the nodes: .* refused$") as caught:
        cluster._wait_for_nodes(site, FakeEngine(names, names), Stage("addons", "Add-ons", 1))
    assert caught.value.look == "./lab shell -- kubectl get pods -A"
