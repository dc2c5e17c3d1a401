"""A Deployment as a tree: which version stops where."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
from fakes import COURSE, FakeCluster, pod

from kubelab import evidence_rollouts, labs
from kubelab.checking import LabView
from kubelab.objects import Object
from kubelab.site import Site
from kubelab.snapshot import Snapshot

LAB = labs.find(COURSE, "90")
NAMESPACE = "lab-90"


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(Site())


@pytest.fixture
def view(cluster: FakeCluster) -> Iterator[LabView]:
    snapshot = Snapshot(cluster, NAMESPACE)
    yield LabView(cluster, LAB, LAB.task("90.1"), snapshot)
    snapshot.close()


def owned(kind: str, name: str) -> list[Object]:
    return [{"kind": kind, "name": name, "uid": f"uid-{name}", "controller": True}]


def replica_set(name: str, revision: int, version: str, replicas: int) -> Object:
    box = {"name": "web", "image": f"kubelab/web:{version}"}
    return {
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "annotations": {evidence_rollouts.REVISION: str(revision)},
            "ownerReferences": owned("Deployment", "web"),
        },
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [box]}}},
        "status": {"replicas": replicas},
    }


def member(state: str, name: str, owner: str) -> Object:
    body = copy.deepcopy(pod(state))
    body["metadata"] |= {"name": name, "uid": f"uid-{name}"}
    body["metadata"]["ownerReferences"] = owned("ReplicaSet", owner)
    return body


@pytest.fixture
def deployment(cluster: FakeCluster) -> Object:
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    body = {
        "kind": "Deployment",
        "metadata": {"name": "web", "annotations": {evidence_rollouts.REVISION: "3"}},
        "spec": {"replicas": 2},
        "status": {"conditions": [late]},
    }
    for one in (
        replica_set("web-old", 1, "1.0", 0),
        replica_set("web-5b6f", 2, "2.0", 2),
        replica_set("web-7d9c", 3, "3.0", 1),
    ):
        cluster.put("ReplicaSet", one, NAMESPACE)
    cluster.put("Pod", member("pod-ready", "web-5b6f-a", "web-5b6f"), NAMESPACE)
    cluster.put("Pod", member("pod-ready", "web-5b6f-b", "web-5b6f"), NAMESPACE)
    cluster.put("Pod", member("pod-never-ready", "web-7d9c-x2x4p", "web-7d9c"), NAMESPACE)
    return cluster.put("Deployment", body, NAMESPACE)


def unhealthy(message: str) -> Object:
    return {
        "metadata": {"name": "e"},
        "involvedObject": {"uid": "uid-web-7d9c-x2x4p"},
        "reason": "Unhealthy",
        "message": message,
    }


def test_the_tree_shows_where_a_rollout_stops(
    cluster: FakeCluster, view: LabView, deployment: Object
) -> None:
    message = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    cluster.put("Event", unhealthy(message), NAMESPACE)
    lines = [" ".join(line.split()) for line in evidence_rollouts.chain(view, deployment)]
    assert lines[:2] == [
        "Deployment web revision 3, ProgressDeadlineExceeded",
        "├─ ReplicaSet ...-7d9c (3.0) 1 Pod, 0 ready",
    ]
    assert lines[2].startswith("│ └─ Pod ...-x2x4p Running, not ready for ")
    assert lines[3:] == [
        "│ └─ container web readiness probe: HTTP 503",
        "└─ ReplicaSet ...-5b6f (2.0) 2 Pods, 2 ready",
    ]


def test_no_line_of_the_tree_is_cut(view: LabView, deployment: Object) -> None:
    lines = evidence_rollouts.chain(view, deployment)
    assert len(lines) <= evidence_rollouts.LINES
    assert max(map(len, lines)) <= 78


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            "Liveness probe failed: HTTP probe failed with statuscode: 500",
            "liveness probe: HTTP 500",
        ),
        (
            'Readiness probe failed: Get "http://10.0.0.1:81/": dial tcp: connection refused',
            "readiness probe: connection refused",
        ),
        ("Something else", "running, not ready"),
    ],
)
def test_a_probe_is_told_by_what_it_was_answered(
    cluster: FakeCluster, view: LabView, deployment: Object, message: str, words: str
) -> None:
    cluster.put("Event", unhealthy(message), NAMESPACE)
    (line,) = [one for one in evidence_rollouts.chain(view, deployment) if "container" in one]
    assert line.endswith(words)


def test_events_are_those_of_what_stops_it(
    cluster: FakeCluster, view: LabView, deployment: Object
) -> None:
    assert evidence_rollouts.culprit(view, deployment)["metadata"]["name"] == "web-7d9c-x2x4p"
    refused = replica_set("web-7d9c", 3, "3.0", 1)
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
    refused["status"] = {"replicas": 0, "conditions": [failure]}
    cluster.put("ReplicaSet", refused, NAMESPACE)
    view.snapshot._stores.clear()
    assert evidence_rollouts.culprit(view, deployment)["metadata"]["name"] == "web-7d9c"
    assert any("FailedCreate" in line for line in evidence_rollouts.chain(view, deployment))


def test_a_whole_deployment_is_its_own_culprit(cluster: FakeCluster, view: LabView) -> None:
    body = cluster.put("Deployment", {"kind": "Deployment", "metadata": {"name": "w"}}, NAMESPACE)
    assert evidence_rollouts.culprit(view, body) == body
