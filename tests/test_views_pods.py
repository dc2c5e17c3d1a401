"""What a check reads of Pods with several containers, and of the Deployment that is repaired."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import COURSE, FakeCluster, pod

from kubelab import labs
from kubelab.checking import LabView
from kubelab.errors import EnvironmentFault
from kubelab.objects import Object
from kubelab.site import Site
from kubelab.snapshot import Snapshot

NAMESPACE = "lab-90"
SIDECAR = {"name": "refresher", "restartPolicy": "Always"}


def view(*bodies: tuple[str, Object], answer: Any = None) -> LabView:
    cluster: Any = FakeCluster(Site())
    cluster.answer = answer
    for kind, body in bodies:
        cluster.put(kind, body, NAMESPACE)
    lab = labs.find(COURSE, "90")
    return LabView(cluster, lab, lab.task("90.1"), Snapshot(cluster, NAMESPACE))


def kitchen(*containers: Object) -> Object:
    body = pod()
    body["spec"]["initContainers"] = list(containers)
    return body


@pytest.mark.parametrize(
    ("containers", "reason", "words"),
    [
        ((SIDECAR,), "no-init-container", "no init container that ends"),
        ((SIDECAR, {"name": "writer"}), "wrong-order", "sidecar refresher is started first"),
    ],
)
def test_what_must_come_first_is_read_from_the_spec(
    containers: tuple[Object, ...], reason: str, words: str
) -> None:
    seen = view(("Pod", kitchen(*containers))).pod("web").prepares_first
    assert not seen.value
    assert (seen.fact.reason(False), seen.fact.words(False)) == (reason, words)


def test_a_writer_before_the_sidecar_is_right() -> None:
    found = view(("Pod", kitchen({"name": "writer"}, SIDECAR))).pod("web")
    assert found.has_sidecar
    assert found.prepares_first


def test_a_second_container_is_no_sidecar() -> None:
    seen = view(("Pod", pod())).pod("web").has_sidecar
    assert not seen.value
    assert seen.fact.reason(False) == "no-sidecar"


def test_a_line_that_is_half_written_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubelab.views.files.STEP", 0.0)
    texts = iter(["", "", "uid-1\nsoup\n"])
    lab = view(("Pod", pod()), answer=lambda _: [{"status": 200, "body": next(texts)}])
    assert lab.file(lab.pod("web"), 8080, "/file").line_is(1, "uid-1", "the uid")


def test_a_line_that_stays_wrong_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubelab.views.files.STEP", 0.0)
    lab = view(("Pod", pod()), answer=lambda _: [{"status": 200, "body": "kitchen\n"}])
    seen = lab.file(lab.pod("web"), 8080, "/file").line_is(1, "uid-1", "the uid")
    assert not seen.value
    assert seen.fact.words(False) == "line 1 is `kitchen`"
    assert seen.fact.reason(False) == "wrong-content"


def deployment(**spec: Any) -> Object:
    template = {"spec": pod()["spec"]}
    body = {"metadata": {"name": "broken", "uid": "uid-1"}, "spec": {"template": template} | spec}
    return {"kind": "Deployment"} | body


def test_a_deployment_that_was_made_anew_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = view(("Deployment", deployment()))
    monkeypatch.setattr(lab, "uid_at_start", lambda *_: "uid-1")
    assert lab.repaired("broken", "kubelab/web:1.0", "web").same
    monkeypatch.setattr(lab, "uid_at_start", lambda *_: "uid-0")
    seen = lab.repaired("broken", "kubelab/web:1.0", "web").same
    assert (seen.value, seen.fact.reason(False)) == (False, "made-anew")


def test_a_start_without_a_record_is_no_fault_of_the_learners(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lab = view(("Deployment", deployment()))
    monkeypatch.setattr(lab, "uid_at_start", lambda *_: None)
    with pytest.raises(EnvironmentFault, match="does not name Deployment broken"):
        _ = lab.repaired("broken", "kubelab/web:1.0", "web").same


def test_the_time_to_prove_itself_is_the_probes_and_a_little_more() -> None:
    body = deployment()
    probe = body["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]
    lab = view(("Deployment", body))
    assert lab.repaired("broken", "kubelab/web:1.0", "web").proving_time == 4 + 5
    probe["failureThreshold"] = 1000
    slow = view(("Deployment", body)).repaired("broken", "kubelab/web:1.0", "web")
    assert slow.proving_time == 60


def test_the_pods_of_a_deployment_are_its_own_and_alive() -> None:
    owner = {"kind": "Deployment", "name": "broken", "uid": "uid-1", "controller": True}
    replicas = {"metadata": {"name": "broken-1", "uid": "uid-2", "ownerReferences": [owner]}}
    above = {"kind": "ReplicaSet", "name": "broken-1", "uid": "uid-2", "controller": True}

    def made(name: str, **more: Any) -> Object:
        body = pod()
        body["metadata"] |= {"name": name, "ownerReferences": [above]} | more
        return body

    lab = view(
        ("Deployment", deployment()),
        ("ReplicaSet", replicas),
        ("Pod", made("old", creationTimestamp="2026-11-24T12:00:00Z")),
        ("Pod", made("new", creationTimestamp="2026-11-24T13:00:00Z")),
        ("Pod", made("going", deletionTimestamp="2026-11-24T13:00:00Z")),
        ("Pod", pod()),
    )
    assert [one.name for one in lab.repaired("broken", "kubelab/web:1.0", "web").pods] == [
        "new",
        "old",
    ]
