"""The cluster is what the labs need: three nodes, policies enforced, storage, nothing to pull."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import until

MANIFESTS = Path(__file__).parent / "cluster"
ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "lab-91"
LAB_IMAGES = {"web:1.0", "web:2.0", "web:2.1", "web:3.0", "redis:1.0", "toolbox:1.0"}


@pytest.fixture(scope="module")
def scratch(kind_cluster: Any) -> Iterator[str]:
    """A namespace with a server, a friend, a stranger and a Pod that writes to a claim."""
    kubectl = kind_cluster.kubectl
    kubectl("apply", "-f", str(MANIFESTS / "scratch.yaml"))
    try:
        kubectl("-n", NAMESPACE, "wait", "--for=condition=Ready", "pods", "--all", "--timeout=90s")
        yield NAMESPACE
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def asked(kind_cluster: Any, pod: str) -> str:
    """What a Pod gets from the server: the status, or `000` when nothing comes back in time."""
    script = "curl -s -o /dev/null -m 2 -w '%{http_code}' http://server:8080/ || true"
    return str(kind_cluster.kubectl("-n", NAMESPACE, "exec", pod, "--", "sh", "-c", script))


def answers(kind_cluster: Any, pod: str, wanted: str) -> bool:
    """Whether a Pod gets this from the server, within the time that a change takes."""
    return until(lambda: asked(kind_cluster, pod), lambda answer: answer == wanted) == wanted


def test_three_nodes_are_ready(kind_cluster: Any) -> None:
    nodes = json.loads(kind_cluster.kubectl("get", "nodes", "-o", "json"))["items"]
    ready = [
        condition["status"]
        for node in nodes
        for condition in node["status"]["conditions"]
        if condition["type"] == "Ready"
    ]
    assert ready == ["True"] * 3


def test_the_version_is_the_pinned_minor(kind_cluster: Any) -> None:
    sources = tomllib.loads((ROOT / "images" / "sources.toml").read_text())
    minor = sources["versions"]["kubernetes"].rpartition(".")[0]
    version = json.loads(kind_cluster.kubectl("version", "-o", "json"))
    assert version["serverVersion"]["gitVersion"].startswith(f"{minor}.")


def test_every_node_holds_the_lab_images(kind_cluster: Any) -> None:
    nodes = json.loads(kind_cluster.kubectl("get", "nodes", "-o", "json"))["items"]
    for node in nodes:
        held = {name for image in node["status"]["images"] for name in image["names"]}
        assert {f"docker.io/kubelab/{image}" for image in LAB_IMAGES} <= held


def test_a_policy_blocks_the_stranger_and_lets_the_friend_in(
    kind_cluster: Any, scratch: str
) -> None:
    # A ready Pod is behind its Service a moment later.
    assert answers(kind_cluster, "stranger", "200")
    kind_cluster.kubectl("apply", "-f", str(MANIFESTS / "policy.yaml"))
    assert answers(kind_cluster, "stranger", "000")
    assert answers(kind_cluster, "friend", "200")
    kind_cluster.kubectl("delete", "-f", str(MANIFESTS / "policy.yaml"))
    assert answers(kind_cluster, "stranger", "200")


def test_a_claim_binds_and_keeps_what_is_written(kind_cluster: Any, scratch: str) -> None:
    phase = ["-n", scratch, "get", "pvc", "data", "-o", "jsonpath={.status.phase}"]
    assert kind_cluster.kubectl(*phase) == "Bound"
    read = ["-n", scratch, "exec", "writer", "--", "sh", "-c", "cat /data/written || true"]
    assert until(lambda: kind_cluster.kubectl(*read).strip(), bool) == "kept"


def test_the_recorder_knows_who_made_what(kind_cluster: Any, scratch: str) -> None:
    """A Pod's creation by the test stands in the record, with name, verb and user."""
    path = "/api/v1/namespaces/kubelab-system/services/recorder:8080/proxy/audit?namespace="

    def created() -> list[dict[str, Any]]:
        answer = json.loads(kind_cluster.kubectl("get", "--raw", f"{path}{scratch}"))
        return [
            entry
            for entry in answer["entries"]
            if entry["verb"] in ("create", "patch")
            and entry["resource"] == "pods"
            and entry["name"] == "writer"
            and not entry["subresource"]
        ]

    entries = until(created, bool)
    assert entries
    assert entries[0]["user"] == "kubernetes-admin"
    assert entries[0]["code"] == 201
