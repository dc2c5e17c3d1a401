"""The typed client of the recorder: what it reads, and what it says where it can't."""

from __future__ import annotations

import time
from typing import Any

import pytest
from fakes import FakeCluster

from kubelab import history
from kubelab.errors import Busy, EnvironmentFault
from kubelab.history import Owner
from kubelab.objects import Object, stamp
from kubelab.site import Site

ENTRY = {
    "id": "a1/ResponseComplete",
    "at": 5.0,
    "stage": "ResponseComplete",
    "verb": "patch",
    "user": "kubernetes-admin",
    "impersonated": "learner",
    "user_agent": "kubectl",
    "group": "apps",
    "resource": "deployments",
    "subresource": "scale",
    "namespace": "lab-90",
    "name": "web",
    "uid": None,
    "dry_run": False,
    "code": 200,
}
SET = {"kind": "ReplicaSet", "name": "web-6c9", "uid": "rs1"}
ABOVE = {"kind": "Deployment", "name": "web", "uid": "d1"}
POD = {
    "uid": "p1",
    "name": "web-6c9-x",
    "created": 10.0,
    "node": "kubelab-worker",
    "ip": "10.244.1.3",
    "restarts": 0,
    "version": "2.0",
    "deployment": ABOVE,
    "deleting": 28.0,
    "gone": 30.0,
    "labels": [[10.0, {"app": "web"}], [20.0, {"app": "out"}]],
    "owners": [[10.0, SET], [20.0, None]],
    "images": [[10.0, {"web": "kubelab/web:2.0"}]],
    "ready": [[10.0, False], [12.0, True], [28.5, False]],
    "of a newer recorder": 1,
}
CHANGE = {
    "at": 10.0,
    "generation": 1,
    "images": {"web": "kubelab/web:1.0"},
    "version": "1.0",
    "replicas": 3,
    "paused": False,
    "template": "aa",
}
DEPLOYMENT = {
    "uid": "d1",
    "name": "web",
    "created": 10.0,
    "gone": None,
    "changes": [
        CHANGE,
        {**CHANGE, "at": 20.0, "generation": 2, "replicas": 4},
        {**CHANGE, "at": 30.0, "generation": 3, "version": "2.0", "template": "bb"},
    ],
    "progress": [[10.5, "ReplicaSetUpdated"]],
}
LINES = [
    [10.0, 19.9, 100, 0.1, 200, "1.0", None, None, None],
    [20.0, 20.0, 1, 0.004, 200, "2.0", "web-6c9-x", None, None],
    [20.1, 20.4, 4, 2.0, None, None, None, "timeout", "no answer within 2 s"],
    [21.0, 21.0, 1, 0.004, 503, "2.0", "web-6c9-x", None, None],
]


@pytest.fixture
def cluster(site: Site) -> FakeCluster:
    answers: dict[str, Any] = {
        "audit": {"entries": [ENTRY], "complete": {"nodes": 1.0}},
        "pods": {"since": 1.0, "pods": [POD]},
        "deployments": {"since": 1.0, "deployments": [DEPLOYMENT]},
        "requests": {"since": 2.0, "lines": LINES},
        "forget": {"forgotten": True},
    }
    fake = FakeCluster(site)
    fake.asked = []

    def recorder(path: str, body: Any) -> Any:
        fake.asked.append((path, body))
        return answers[path]

    fake.recorder = recorder
    fake.answers = answers
    return fake


def test_the_learners_deeds_are_told_from_others(cluster: FakeCluster) -> None:
    """By impersonation; a dry run and a refusal are no deeds."""
    others = [
        {"impersonated": None},
        {"dry_run": True},
        {"code": 403},
        {"subresource": ""},
        {"name": "api"},
        {"verb": "get"},
    ]
    cluster.answers["audit"]["entries"] += [{**ENTRY, **change} for change in others]
    found = history.audit(cluster, "lab-90", 3.0)
    assert cluster.asked == [("audit", {"namespace": "lab-90", "since": 3.0, "limit": 7000})]
    scaled = found.who(("patch", "update"), "deployments", "web", "scale")
    assert [entry.impersonated for entry in scaled] == ["learner", None]
    assert len(found.who("patch", "deployments", "web")) == 1
    assert len(found.who("patch", "deployments", sub="*")) == 4
    assert (found.since("nodes", "people"), found.since("people")) == (1.0, 0.0)


def test_a_pod_is_known_at_every_moment(cluster: FakeCluster) -> None:
    """Ready, labels and owners over time, and the Deployment that stood behind."""
    (pod,) = history.pods(cluster, "lab-90")
    assert (pod.name, pod.version, pod.gone) == ("web-6c9-x", "2.0", 30.0)
    assert [pod.ready_at(at) for at in (9, 11, 12, 29, 31)] == [False, False, True, False, False]
    assert [pod.labels_at(at)["app"] for at in (5, 10, 20)] == ["web", "web", "out"]
    assert pod.labels == {"app": "out"}
    assert pod.owner is None
    assert pod.belonged_to("rs1")
    assert pod.belonged_to("d1")
    assert not pod.belonged_to("rs2")
    assert pod.deployment == Owner("Deployment", "web", "d1")
    assert pod.was_ready
    assert not pod.is_ready


def test_a_deployment_tells_when_its_spec_changed(cluster: FakeCluster) -> None:
    """Scaling makes no new revision, another template does."""
    (web,) = history.deployments(cluster, "lab-90")
    assert [change.at for change in web.templates] == [10.0, 30.0]
    assert web.progress == ((10.5, "ReplicaSetUpdated"),)


def test_requests_are_counted_also_where_several_are_one_line(cluster: FakeCluster) -> None:
    """Failures are errors and bad statuses."""
    found = history.requests(cluster, "lab-90", "web")
    assert (found.total, found.failed, found.since) == (106, 5, 2.0)
    assert found.versions == ("1.0", "2.0")
    assert [one.reason for one in found.failures] == ["timeout", None]
    later = found.between(20.05, 20.5)
    assert (later.total, later.failed) == (4, 4)


def test_forgetting_is_asked_for(cluster: FakeCluster) -> None:
    """Of one namespace."""
    history.forget(cluster, "lab-90")
    assert cluster.asked == [("forget", {"namespace": "lab-90"})]


@pytest.mark.parametrize("answer", [None, [], "x", {}, {"pods": 5}, {"pods": [{"uid": "p1"}]}])
def test_an_answer_that_makes_no_sense_is_an_environment_fault(
    cluster: FakeCluster, answer: Any
) -> None:
    """With a sentence, and nothing of it is the learner's."""
    cluster.answers["pods"] = answer
    with pytest.raises(EnvironmentFault, match="recorder gave an answer that can't be read"):
        history.pods(cluster, "lab-90")


def test_a_recorder_that_is_not_there_is_an_environment_fault(site: Site) -> None:
    """The sentence comes from the door to the API."""
    with pytest.raises(EnvironmentFault, match="is not there"):
        history.audit(FakeCluster(site), "lab-90")


THERE: Object = {"metadata": {"uid": "p1"}}
GOING: Object = {"metadata": {"uid": "p1", "deletionTimestamp": "2026-08-02T12:00:00Z"}}
READY: Object = {
    "metadata": {"uid": "p1"},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}


NEVER_READY = {"ready": [[11.0, False]]}


@pytest.mark.parametrize(
    ("recorded", "there", "late"),
    [
        ({}, [READY], False),
        ({}, [], True),
        ({"gone": 30.0}, [], False),
        ({}, [GOING], True),
        ({"deleting": 20.0}, [GOING], False),
        (NEVER_READY, [READY], True),
        (NEVER_READY, [THERE], False),
        # What is newer in the record is no disagreement, nor is an old Pod that it has dropped.
        ({"gone": 30.0}, [READY], False),
        ({"uid": "p0", "gone": 30.0}, [READY], False),
    ],
)
def test_a_record_is_behind_where_a_pod_is_further_than_it_says(
    recorded: Object, there: list[Object], late: bool
) -> None:
    pod = history.pod_record(POD | {"deleting": None, "gone": None} | recorded)
    assert history.behind([pod], there) is late


@pytest.mark.parametrize(
    ("body", "age", "late"), [(READY, 5.0, True), (READY, 3600.0, False), (THERE, 5.0, False)]
)
def test_a_new_pod_that_the_record_does_not_know_yet_is_waited_for(
    body: Object, age: float, late: bool
) -> None:
    created = {"creationTimestamp": stamp(time.time() - age)}
    there = body | {"metadata": body["metadata"] | created}
    assert history.behind([], [there]) is late


def test_a_recorder_that_does_not_catch_up_costs_nothing(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "CATCHES_UP", 0.0)
    cluster.recorder = lambda *_: {"pods": [POD | {"gone": None}]}
    with pytest.raises(Busy, match="recorder is behind"):
        history.pods_by_now(cluster, "lab-90")
    cluster.recorder = lambda *_: {"pods": [POD | {"gone": 30.0}]}
    assert [one.uid for one in history.pods_by_now(cluster, "lab-90")] == ["p1"]
