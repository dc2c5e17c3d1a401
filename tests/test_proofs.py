"""Proofs: kept in the cluster, read once for a run."""

from __future__ import annotations

import time
from typing import Any

import pytest
from fakes import Clock, FakeCluster, pod

from kubelab import proofs as module
from kubelab.api import Away, Refused
from kubelab.proofs import Proof, Proofs, Undo, key
from kubelab.site import Site

NAMESPACE = "lab-90"


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(Site())


def test_a_proof_is_kept_by_uid_and_spec(cluster: FakeCluster) -> None:
    proofs, body = Proofs(cluster, NAMESPACE), pod()
    first = key("90.1", body)
    assert proofs.find(first) is None
    proofs.keep(Proof(first, passed=True, at=time.time()))
    found = Proofs(cluster, NAMESPACE).find(first)
    assert found is not None
    assert found.passed
    body["spec"]["containers"][0]["image"] = "kubelab/web:2.0"
    assert proofs.find(key("90.1", body)) is None
    proofs.forget()
    assert proofs.find(first) is None


def test_a_key_by_uid_alone_stays_when_the_spec_changes() -> None:
    one, other = pod(), pod()
    other["spec"]["containers"][0]["image"] = "kubelab/web:2.0"
    assert key("90.1", one, spec=False) == key("90.1", other, spec=False)
    assert key("90.1", one) != key("90.1", other)
    assert key("90.1", one, what="drain") != key("90.1", one)


class Full(FakeCluster):
    """A quota that learns of a deletion after some tries."""

    tries = 3
    words = 'services "backend" is forbidden: exceeded quota: few'

    def create(self, kind: str, body: Any, namespace: str | None = None, **_: Any) -> Any:
        self.tries -= 1
        if self.tries >= 0:
            raise Refused(self.words)
        return super().create(kind, body, namespace)


def test_what_was_deleted_is_made_again_when_the_quota_knows_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "time", Clock())
    full = Full(Site())
    body = {"metadata": {"name": "backend"}}
    assert module.created_again(full, "Service", body, NAMESPACE)  # type: ignore[arg-type]
    full = Full(Site())
    full.words = "spec.ports: Invalid value"
    with pytest.raises(Refused, match="Invalid"):
        module.created_again(full, "Service", body, NAMESPACE)  # type: ignore[arg-type]
    full = Full(Site())
    full.tries = 10**6
    with pytest.raises(Refused, match="quota"):
        module.created_again(full, "Service", body, NAMESPACE)  # type: ignore[arg-type]


def test_a_refusal_is_not_believed_for_ever(cluster: FakeCluster) -> None:
    proofs = Proofs(cluster, NAMESPACE)
    proofs.keep(Proof("new", passed=False, reason="not-restarted", at=time.time()))
    proofs.keep(Proof("old", passed=False, at=time.time() - module.REFUSAL_SECONDS - 1))
    assert proofs.find("new") is not None
    assert proofs.find("old") is None


def test_the_oldest_proofs_go_when_there_are_many(cluster: FakeCluster) -> None:
    proofs = Proofs(cluster, NAMESPACE)
    proofs.promise(Undo("Service", "web"))
    for number in range(module.PROOFS_KEPT + 5):
        proofs.keep(Proof(f"key-{number}", passed=True, at=float(number)))
    kept = [f"key-{n}" for n in range(module.PROOFS_KEPT + 5) if proofs.find(f"key-{n}")]
    assert len(kept) == module.PROOFS_KEPT
    assert kept[0] == "key-5"
    assert proofs.promised() == [Undo("Service", "web")], "what is to be put back stays"


def test_the_checks_of_a_run_read_the_proofs_once(cluster: FakeCluster) -> None:
    Proofs(cluster, NAMESPACE).keep(Proof("one", passed=True))
    cluster.calls.clear()
    proofs = Proofs(cluster, NAMESPACE)
    for name in ("one", "two", "three", "one"):
        proofs.find(name)
    assert cluster.calls == ["get ConfigMap"]


def test_what_another_door_proved_meanwhile_is_seen(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH", -1.0)
    proofs = Proofs(cluster, NAMESPACE)
    assert proofs.find("one") is None
    Proofs(cluster, NAMESPACE).keep(Proof("one", passed=True))
    assert proofs.find("one") is not None


def test_a_record_that_nobody_can_read_is_no_proof(cluster: FakeCluster) -> None:
    data = {"one": "{", "two": "[]", "three": '{"key": "three"}'}
    body = {"metadata": {"name": f"proofs-{NAMESPACE}"}, "data": data}
    cluster.put("ConfigMap", body, module.SYSTEM)
    assert [Proofs(cluster, NAMESPACE).find(name) for name in data] == [None] * 3


class Picky(FakeCluster):
    """A cluster that takes no `backend` any more."""

    def create(self, kind: str, body: Any, namespace: str | None = None, **more: Any) -> Any:
        if body["metadata"]["name"] == "backend":
            raise Refused('services "backend" is forbidden: no room')
        return super().create(kind, body, namespace, **more)


def test_what_is_refused_stays_on_record_and_the_rest_is_put_back() -> None:
    """No fault of the course: it says what to look at, and the next time may do."""
    cluster = Picky(Site())
    proofs = Proofs(cluster, NAMESPACE)
    for name in ("backend", "shop"):
        proofs.promise(Undo("Service", name, body={"metadata": {"name": name}}))
    with pytest.raises(module.NotPutBack, match=r"Service backend.*no room") as told:
        module.restore(cluster, NAMESPACE)
    assert told.value.look == f"kubectl -n {NAMESPACE} describe quota"
    assert cluster.get("Service", "shop", NAMESPACE)
    assert [one.name for one in proofs.promised()] == ["backend"]


def test_who_does_not_get_through_is_told_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster(Site())
    Proofs(cluster, NAMESPACE).promise(Undo("Service", "shop", body={"metadata": {"name": "shop"}}))

    def away(*_: Any, **__: Any) -> None:
        raise Away("a webhook does not answer")

    monkeypatch.setattr(cluster, "create", away)
    with pytest.raises(Away):
        module.restore(cluster, NAMESPACE)
