"""The facts of predictions: their names are the schema's, and each says what it says."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeCluster

from kubelab import history, labs
from kubelab import notebook_facts as facts_of
from kubelab import notebook_predictions as predictions
from kubelab.history import Audit, DeploymentRecord, Entry, Owner, PodRecord, Request, Requests
from kubelab.labs import Prediction
from kubelab.site import ROOT, Site

SCHEMA = json.loads(labs.SCHEMA.read_text())["$defs"]
START = 1_795_521_600.0  # 2026-11-24T12:00:00Z, the fake namespace's


def names(kind: str) -> frozenset[str]:
    return frozenset(SCHEMA[kind]["properties"])


@pytest.fixture
def lab() -> labs.Lab:
    return dataclasses.replace(labs.find(ROOT, "02"), load=("shop",))


@pytest.fixture
def cluster(tmp_path: Path) -> FakeCluster:
    return FakeCluster(Site(root=tmp_path), namespace="lab-02")


@pytest.fixture
def asked(cluster: FakeCluster, lab: labs.Lab) -> facts_of.Asked:
    return facts_of.Asked(cluster, lab, "shop", frozenset())


def ready(value: bool) -> dict[str, Any]:
    return {"type": "Ready", "status": str(value)}


def member(name: str, owner: str, value: bool = True, **meta: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"app": "shop"}, "ownerReferences": [{"uid": owner}]}
        | meta,
        "status": {"conditions": [ready(value)]},
    }


# A Pod


KITCHEN: dict[str, Any] = {
    "metadata": {"name": "kitchen", "uid": "u"},
    "spec": {
        "initContainers": [{"name": "writer"}, {"name": "refresher", "restartPolicy": "Always"}],
        "containers": [{"name": "server"}, {"name": "second"}],
    },
    "status": {
        "phase": "Running",
        "conditions": [ready(True)],
        "initContainerStatuses": [
            {"name": "writer", "state": {"terminated": {"exitCode": 0}}},
            {"name": "refresher", "state": {"running": {}}, "restartCount": 4},
        ],
        "containerStatuses": [
            {
                "name": "server",
                "restartCount": 1,
                "state": {"running": {}},
                "lastState": {
                    "terminated": {
                        "exitCode": 137,
                        "reason": "OOMKilled",
                        "finishedAt": "2026-11-24T12:00:09Z",
                    }
                },
            },
            {
                "name": "second",
                "restartCount": 1,
                "state": {"terminated": {"exitCode": 3, "finishedAt": "2026-11-24T12:00:01Z"}},
            },
        ],
    },
}


def test_a_pods_facts_tell_init_containers_sidecars_and_containers_apart() -> None:
    assert facts_of.pod_facts(KITCHEN) == {
        "phase": "Running",
        "ready": True,
        "restarts": 2,
        "running": 1,
        "init_done": 1,
        "sidecars": 1,
        "exit_code": 137,
        "exit_reason": "OOMKilled",
    }
    bare = facts_of.pod_facts({"metadata": {"name": "x"}})
    assert bare["phase"] == "Unknown"
    assert bare["exit_code"] is None


def record(name: str = "kitchen", **more: Any) -> PodRecord:
    empty = {field.name: None for field in dataclasses.fields(PodRecord)}
    over = dict.fromkeys(("labels_over_time", "owners", "images_over_time", "ready"), ())
    base = {"uid": "u", "name": name, "created": START, "restarts": 3}
    return PodRecord(**(empty | over | base | more))


def test_a_pod_that_is_gone_is_read_from_the_record(
    asked: facts_of.Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = record(deleting=START + 10, gone=START + 12.4)
    monkeypatch.setattr(history, "pods", lambda *_: (gone,))
    asked = dataclasses.replace(asked, name="kitchen", wanted=frozenset({"gone", "seconds_to_end"}))
    assert facts_of.pod(asked, None) == {
        "gone": True,
        "ready": False,
        "restarts": 3,
        "seconds_to_end": 2,
    }
    assert facts_of.pod(dataclasses.replace(asked, name="other"), None) is None
    # Another Pod of this name is there now: the record of the one before is not its own.
    again = facts_of.pod(asked, KITCHEN | {"metadata": {"name": "kitchen", "uid": "new"}})
    assert again
    assert (again["gone"], again["seconds_to_end"]) == (False, None)


def test_a_pod_that_never_was_has_no_facts(asked: facts_of.Asked) -> None:
    assert facts_of.pod(asked, None) is None


# A Service


SERVICE = {
    "metadata": {"name": "shop"},
    "spec": {"type": "ClusterIP", "clusterIP": "10.96.0.9", "selector": {"app": "shop"}},
}


def test_a_services_facts_are_exactly_those_of_the_schema(
    cluster: FakeCluster, asked: facts_of.Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, value in enumerate((True, True, False)):
        cluster.put("Pod", member(f"shop-{number}", "rs", value), "lab-02")
    labels = {"kubernetes.io/service-name": "shop"}
    slices = {
        "metadata": {"name": "shop-x", "labels": labels},
        "endpoints": [
            {"addresses": ["10.1.1.1"]},
            {"addresses": ["10.1.1.2"], "conditions": {"ready": True}},
            {"addresses": ["10.1.1.3"], "conditions": {"ready": False}},
        ],
    }
    cluster.put("EndpointSlice", slices, "lab-02")

    def answer(question: Any) -> list[dict[str, Any]]:
        if question["kind"] == "dns":
            return [{"ok": True, "addresses": ["10.96.0.9"]}]
        assert question["url"].startswith("http://shop.lab-02.svc.cluster.local:80/")
        return [
            {"status": 200, "headers": {"x-web-pod": f"shop-{n % 2}", "x-web-version": "1.0"}}
            for n in range(19)
        ] + [{"status": None, "reason": "refused"}]

    cluster.answer = answer
    entry = dict.fromkeys((field.name for field in dataclasses.fields(Entry)), "")
    made = [
        Entry(
            **entry
            | {"verb": verb, "resource": "services", "name": "shop", "code": code, "dry_run": False}
        )
        for verb, code in (("create", 201), ("patch", 200), ("patch", 201), ("delete", 200))
    ]
    monkeypatch.setattr(history, "audit", lambda *_: Audit(tuple(made), None))
    lines = (
        Request(START + 1, START + 1, 5, 0, 200, "1.0", None, None, None),
        Request(START + 2, START + 2, 1, 0, None, None, None, "refused", None),
    )
    monkeypatch.setattr(history, "requests", lambda *_: Requests("shop", START, lines))
    asked = dataclasses.replace(asked, wanted=names("service"))
    assert facts_of.service(asked, SERVICE) == {
        "type": "ClusterIP",
        "cluster_ip": "10.96.0.9",
        "headless": False,
        "selected": 3,
        "ready_addresses": 2,
        "not_ready_addresses": 1,
        "dns_addresses": 1,
        "answers": 19,
        "answers_by": 2,
        "answers_of": 1,
        "times_made": 2,
        "requests": 6,
        "failed_requests": 1,
        "first_failure": "refused",
    }
    assert facts_of.service(asked, None) is None


def test_only_what_a_rule_names_is_asked_for(cluster: FakeCluster, asked: facts_of.Asked) -> None:
    asked = dataclasses.replace(asked, wanted=frozenset({"headless"}))
    assert facts_of.service(asked, SERVICE) == {"headless": False}
    assert cluster.calls == []


# A Deployment


def test_a_deployments_facts_are_exactly_those_of_the_schema(
    cluster: FakeCluster, asked: facts_of.Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {
        "metadata": {
            "name": "shop",
            "uid": "d",
            "generation": 1,
            "annotations": {facts_of.REVISION: "2"},
        },
        "spec": {
            "replicas": 2,
            "template": {"spec": {"containers": [{"image": "kubelab/web:2.0"}]}},
        },
        "status": {
            "observedGeneration": 1,
            "replicas": 3,
            "updatedReplicas": 1,
            "availableReplicas": 2,
            "unavailableReplicas": 1,
            "conditions": [{"type": "Progressing", "reason": "ReplicaSetUpdated"}],
        },
    }
    for uid, revision in (("rs-1", "1"), ("rs-2", "2")):
        meta = {
            "name": uid,
            "uid": uid,
            "ownerReferences": [{"uid": "d"}],
            "annotations": {facts_of.REVISION: revision},
        }
        cluster.put("ReplicaSet", {"metadata": meta}, "lab-02")
    cluster.put("Pod", member("old-1", "rs-1"), "lab-02")
    cluster.put("Pod", member("old-2", "rs-1"), "lab-02")
    cluster.put("Pod", member("new-1", "rs-2", False), "lab-02")
    cluster.put("Pod", member("end", "rs-1", deletionTimestamp="2026-11-24T12:00:00Z"), "lab-02")
    owner = Owner("Deployment", "shop", "d")

    def own(name: str, created: float, *values: tuple[float, bool], **more: Any) -> PodRecord:
        over = tuple((START + at, value) for at, value in values)
        return record(name, created=START + created, ready=over, deployment=owner, **more)

    pods = (
        own("old-1", 1, (3, True)),
        own("old-2", 1, (3, True), deleting=START + 25, gone=START + 30),
        own("new-1", 20, (24, True)),
        own("new-2", 25),
    )
    monkeypatch.setattr(history, "pods", lambda *_: pods)
    one = history.SpecChange(START + 1, 1, {}, "1.0", 2, False, "a")
    two = dataclasses.replace(one, at=START + 20, version="2.0", template="b")
    progress = ((START + 4, "NewReplicaSetAvailable"),)
    changes = DeploymentRecord("d", "shop", START + 1, None, (one, two), progress)
    monkeypatch.setattr(history, "deployments", lambda *_: (changes,))
    lines = (
        Request(START + 9, START + 9, 7, 0, 200, "1.0", None, None, None),
        Request(START + 21, START + 21, 3, 0, 200, "1.0", None, None, None),
        Request(START + 26, START + 26, 2, 0, 200, "2.0", None, None, None),
        Request(START + 27, START + 27, 1, 0, 503, None, None, None, None),
    )
    monkeypatch.setattr(history, "requests", lambda *_: Requests("shop", START, lines))
    asked = dataclasses.replace(asked, wanted=names("deployment"))
    assert facts_of.deployment(asked, body) == {
        "image": "kubelab/web:2.0",
        "revision": 2,
        "replica_sets": 2,
        "desired": 2,
        "pods": 3,
        "new_pods": 1,
        "old_pods": 2,
        "ready": 2,
        "available": 2,
        "unavailable": 1,
        "complete": False,
        "progressing": "ReplicaSetUpdated",
        "paused": False,
        "template_changes": 1,
        "most_pods": 3,
        "fewest_ready": 2,
        "versions": 2,
        "requests": 6,
        "failed_requests": 1,
        "first_failure": "HTTP 503 2.0 s after old-2 was told to stop",
    }
    whole = facts_of.deployment(dataclasses.replace(asked, since="start"), body)
    assert whole
    assert (whole["requests"], whole["fewest_ready"]) == (13, 0)
    chosen = dataclasses.replace(asked, since="choice", chosen=START + 26)
    later = facts_of.deployment(chosen, body)
    assert later
    assert (later["requests"], later["template_changes"]) == (3, 0)
    assert facts_of.deployment(asked, None) is None


def test_a_choice_made_before_the_first_pod_was_ready_counts_from_then_on(
    cluster: FakeCluster, asked: facts_of.Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = Owner("Deployment", "kept", "d")
    change = history.SpecChange(START + 100, 1, {}, "1.0", 1, False, "a")
    changes = DeploymentRecord("d", "kept", START + 100, None, (change,), ())
    monkeypatch.setattr(history, "deployments", lambda *_: (changes,))
    first = record("one", created=START + 100, ready=((START + 102, True),), deployment=owner)
    body = {"metadata": {"name": "kept", "uid": "d", "generation": 1}, "spec": {"replicas": 1}}
    wanted = frozenset({"fewest_ready"})

    def fewest(chosen: float, *pods: PodRecord) -> int:
        monkeypatch.setattr(history, "pods", lambda *_: pods)
        rule = dataclasses.replace(asked, wanted=wanted, since="choice", chosen=START + chosen)
        found = facts_of.deployment(rule, body)
        assert found
        return int(found["fewest_ready"])

    assert [fewest(chosen, first) for chosen in (50, 101, 110)] == [1, 1, 1]
    gone = dataclasses.replace(first, deleting=START + 120, gone=START + 121)
    new = dataclasses.replace(first, uid="v", created=START + 120, ready=((START + 123, True),))
    assert [fewest(chosen, gone, new) for chosen in (50, 110, 130)] == [0, 0, 1]


# Rules


def rule(**more: Any) -> Prediction:
    base = {"pod": "pod", "after": [{"ready": True}], "pending": "Wait.", "outcomes": []}
    return Prediction("02.p1", "What then?", ("a", "b"), base | more)


@pytest.mark.parametrize(
    ("wanted", "found", "fits"),
    [
        (3, 3, True),
        (3, 4, False),
        (">=3", 3, True),
        ("<3", 3, False),
        ("!=0", 2, True),
        ("= desired", 4, True),
        ("<desired", 4, False),
        (">other", 4, False),
        (">=1", None, False),
        (None, None, True),
        ("Running", "Running", True),
        ("!=Running", "Pending", True),
        (True, False, False),
    ],
)
def test_a_rule_compares_with_values_and_with_other_facts(
    wanted: Any, found: Any, fits: bool
) -> None:
    assert predictions.holds({"it": wanted}, {"it": found, "desired": 4}) is fits


def test_the_facts_that_a_rule_names_are_found_everywhere_in_it() -> None:
    outcomes = [{"choice": 1, "when": {"pods": "<desired"}, "because": "{most_pods} at once."}]
    found = predictions.named(rule(after=[{"complete": True}], outcomes=outcomes).observe)
    assert found == {"complete", "pods", "desired", "most_pods"}


def test_a_reason_holds_the_facts_that_were_seen() -> None:
    outcome = {"choice": 2, "when": {"ready": True}, "because": "It restarted {restarts} times."}
    seen = predictions.judge(rule(outcomes=[outcome]), {"ready": True, "restarts": 2})
    assert (seen.number, seen.because) == (2, "It restarted 2 times.")


def test_the_schema_holds_rules_to_the_facts_of_their_subject() -> None:
    import jsonschema

    one = {
        "service": "service",
        "after": [{"ready_addresses": ">=1"}],
        "pending": "Wait.",
        "outcomes": [{"choice": 1, "when": {"answers_by": "<ready_addresses"}}],
    }
    schema = {"$defs": SCHEMA, "$ref": "#/$defs/observe"}
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(one)
    assert not validator.is_valid(one | {"pod": "pod"})
    assert not validator.is_valid(one | {"after": [{"restarts": 1}]})
    assert not validator.is_valid(one | {"outcomes": [{"choice": 1, "when": {"phase": "x"}}]})
    assert not validator.is_valid({key: one[key] for key in one if key != "service"})
    assert not validator.is_valid(one | {"after": [{"answers": "many"}]})


def test_what_counts_from_the_choice_on_is_not_judged_without_one(cluster: FakeCluster) -> None:
    lab = labs.find(ROOT, "00")
    seen = predictions.look(cluster, lab, lab.predictions["00.p2"], chosen=None)
    assert (seen.number, seen.pending) == (None, "Choose first, then run the cell above.")
    assert cluster.calls == []


@pytest.mark.parametrize(
    ("name", "facts", "number"),
    [
        # Nobody has deleted the Pod yet.
        ("00.p1", {"ready_addresses": 1, "selected": 1, "answers": 20}, None),
        ("00.p1", {"ready_addresses": 0, "selected": 0, "answers": 0}, 2),
        # The machine was off in between, and every container was started again.
        ("02.p1", {"health": 200, "ready": True, "restarts": 1}, None),
        ("02.p1", {"health": 503, "ready": True, "restarts": 1}, 3),
        # The readiness probe has not said no twice yet.
        ("02.p2", {"health": 503, "ready": True, "restarts": 0}, None),
        ("02.p2", {"health": 503, "ready": False, "restarts": 1}, 2),
        # A busy machine takes its time; whoever is answered takes 19 s.
        ("02.p4", {"gone": True, "seconds_to_end": 4}, 2),
        ("02.p4", {"gone": True, "seconds_to_end": 19}, 1),
        ("02.p4", {"gone": True, "seconds_to_end": 30}, 3),
        # A Pod is being replaced: four carry the label all the same.
        ("03.p1", {"ready_addresses": 3, "selected": 4}, 2),
        # Made, and never updated.
        (
            "04.p1",
            {"complete": True, "old_pods": 0, "template_changes": 0, "fewest_ready": 0},
            None,
        ),
        (
            "04.p2",
            {"complete": True, "old_pods": 0, "template_changes": 0, "fewest_ready": 0},
            None,
        ),
        ("04.p2", {"complete": True, "old_pods": 0, "template_changes": 2, "fewest_ready": 4}, 2),
        # Contour is a moment behind.
        ("05.p2", {"served": True, "status": 404}, None),
        ("05.p2", {"served": False, "status": 404}, 2),
        # All six at once, which the question rules out.
        ("06.p2", {"ended": "Complete", "succeeded": 6, "most_at_once": 6, "seconds": 8}, None),
        ("06.p2", {"ended": "Complete", "succeeded": 6, "most_at_once": 3, "seconds": 14}, 2),
    ],
)
def test_a_prediction_is_decided_by_what_its_question_is_about(
    name: str, facts: dict[str, Any], number: int | None
) -> None:
    prediction = labs.find(ROOT, name[:2]).predictions[name]
    assert predictions.judge(prediction, facts).number == number
