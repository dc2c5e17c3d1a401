"""Acting on copies: one at a time, cleaned up, proved once."""

from __future__ import annotations

import time

import pytest
from fakes import FakeCluster, pod

from kubelab import acting
from kubelab.acting import LEASE, Proof, Proofs
from kubelab.api import Refused
from kubelab.errors import EnvironmentFault
from kubelab.objects import Object, stamp
from kubelab.site import Site
from kubelab.snapshot import COPY_LABEL

NAMESPACE = "lab-90"


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(Site())


def lease(age: float) -> Object:
    spec = {
        "holderIdentity": "somebody",
        "leaseDurationSeconds": acting.LEASE_SECONDS,
        "renewTime": stamp(time.time() - age, micro=True),
    }
    return {"metadata": {"name": LEASE}, "spec": spec}


def test_a_copy_differs_in_name_and_labels_and_ends_by_itself() -> None:
    copy = acting.copy_of(pod(), budget=90)
    assert copy["metadata"]["name"].startswith("web-copy-")
    assert copy["metadata"]["labels"] == {COPY_LABEL: "web"}
    assert copy["spec"]["activeDeadlineSeconds"] == 90
    assert "nodeName" not in copy["spec"]
    original = pod()["spec"]["containers"][0]
    for key in ("image", "ports", "livenessProbe", "readinessProbe", "resources"):
        assert copy["spec"]["containers"][0][key] == original[key]


def test_a_copy_leaves_the_originals_host_port_alone() -> None:
    body = pod()
    body["spec"]["containers"][0]["ports"][0]["hostPort"] = 80
    assert "hostPort" not in acting.copy_of(body, 90)["spec"]["containers"][0]["ports"][0]


def test_one_at_a_time(cluster: FakeCluster) -> None:
    second = acting.acting(cluster, NAMESPACE, patience=0)
    refused = pytest.raises(EnvironmentFault, match="Another check is acting")
    with acting.acting(cluster, NAMESPACE), refused, second:
        pytest.fail("two acted at once")
    with acting.acting(cluster, NAMESPACE, patience=0):
        pass


def test_a_holder_that_crashed_is_replaced_and_its_copies_go(cluster: FakeCluster) -> None:
    cluster.put("Lease", lease(acting.LEASE_SECONDS + 5), NAMESPACE)
    left = {"metadata": {"name": "web-copy-1", "labels": {COPY_LABEL: "web"}}}
    cluster.put("Pod", left, NAMESPACE)
    cluster.put("Pod", pod(), NAMESPACE)
    with acting.acting(cluster, NAMESPACE, patience=0):
        assert cluster.get("Pod", "web-copy-1", NAMESPACE) is None
    assert cluster.get("Pod", "web", NAMESPACE) is not None
    assert cluster.get("Lease", LEASE, NAMESPACE) is None


def test_a_failure_while_acting_leaves_nothing_behind(cluster: FakeCluster) -> None:
    def interrupted() -> None:
        with acting.acting(cluster, NAMESPACE) as holder:
            acting.make(holder.cluster, NAMESPACE, acting.copy_of(pod(), 90))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert cluster.objects("Pod", NAMESPACE) == []
    assert cluster.get("Lease", LEASE, NAMESPACE) is None


@pytest.mark.parametrize(("age", "left"), [(5.0, 1), (acting.LEASE_SECONDS + 5.0, 0)])
def test_copies_are_swept_only_when_their_maker_is_gone(
    cluster: FakeCluster, age: float, left: int
) -> None:
    cluster.put("Lease", lease(age), NAMESPACE)
    copy = {"metadata": {"name": "web-copy-1", "labels": {COPY_LABEL: "web"}}}
    cluster.put("Pod", copy, NAMESPACE)
    acting.sweep_after_crash(cluster, NAMESPACE)
    assert len(cluster.objects("Pod", NAMESPACE)) == left


def test_a_full_namespace_is_no_fault_of_the_learners(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Refused("exceeded quota: lab")

    monkeypatch.setattr(cluster, "create", refuse)
    with pytest.raises(EnvironmentFault, match="exceeded quota"):
        acting.make(cluster, NAMESPACE, acting.copy_of(pod(), 90))


def test_a_proof_is_kept_by_uid_and_spec(cluster: FakeCluster) -> None:
    proofs, body = Proofs(cluster, NAMESPACE), pod()
    key = acting.key("90.1", body)
    assert proofs.find(key) is None
    proofs.keep(Proof(key, passed=True, at=time.time()))
    found = proofs.find(key)
    assert found is not None
    assert found.passed
    body["spec"]["containers"][0]["image"] = "kubelab/web:2.0"
    assert proofs.find(acting.key("90.1", body)) is None
    proofs.forget()
    assert proofs.find(key) is None


def test_a_refusal_is_not_believed_for_ever(cluster: FakeCluster) -> None:
    proofs = Proofs(cluster, NAMESPACE)
    proofs.keep(Proof("new", passed=False, reason="not-restarted", at=time.time()))
    proofs.keep(Proof("old", passed=False, at=time.time() - acting.REFUSAL_SECONDS - 1))
    assert proofs.find("new") is not None
    assert proofs.find("old") is None


def test_the_oldest_proofs_go_when_there_are_many(cluster: FakeCluster) -> None:
    proofs = Proofs(cluster, NAMESPACE)
    for number in range(acting.PROOFS_KEPT + 5):
        proofs.keep(Proof(f"key-{number}", passed=True, at=float(number)))
    kept = [f"key-{n}" for n in range(acting.PROOFS_KEPT + 5) if proofs.find(f"key-{n}")]
    assert len(kept) == acting.PROOFS_KEPT
    assert kept[0] == "key-5"
