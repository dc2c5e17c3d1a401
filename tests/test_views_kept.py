"""A Deployment that keeps its Pods, as lab 00 reads it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import shop
from fakes import COURSE, FakeCluster
from shop import NAMESPACE

from kubelab import labs, recovery
from kubelab.checking import LabView
from kubelab.proofs import Proof
from kubelab.site import Site
from kubelab.snapshot import Snapshot
from kubelab.verdict import Judgement, judge

LAB = labs.find(COURSE, "90")


@pytest.fixture
def cluster() -> FakeCluster:
    found = FakeCluster(Site())
    shop.deployment(found, "web", 2, {"app": "web"})
    found.answer = shop.answering("web-1-a")
    return found


@pytest.fixture
def view(cluster: FakeCluster) -> Iterator[LabView]:
    snapshot = Snapshot(cluster, NAMESPACE)  # type: ignore[arg-type]
    yield LabView(cluster, LAB, LAB.task("90.1"), snapshot)  # type: ignore[arg-type]
    snapshot.close()


def judged(view: LabView) -> Judgement:
    def check() -> None:
        web = view.kept("web", "kubelab/web:1.0")
        assert web.ready >= 2
        assert web.answering >= 2
        assert web.comes_back

    return judge(check, view, 0.2)


def test_what_was_proved_once_is_not_tried_again(
    cluster: FakeCluster, view: LabView, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def comes_back(_: object, __: str, deployment: str, key: str) -> Proof:
        tried.append(deployment)
        return Proof(key, True, wanted=recovery.WANTED, found=recovery.WANTED)

    monkeypatch.setattr(recovery, "comes_back", comes_back)
    assert [judged(view).verdict for _ in range(3)] == ["pass"] * 3
    assert tried == ["web"]


def test_a_pod_that_gives_no_page_is_told_before_any_is_deleted(
    cluster: FakeCluster, view: LabView
) -> None:
    cluster.answer = shop.answering(None)
    found = judged(view)
    assert (found.verdict, found.reason) == ("fail", "no-answer")
    assert "delete Pod" not in cluster.calls


def test_a_paused_deployment_without_pods_is_told_as_paused(
    cluster: FakeCluster, view: LabView
) -> None:
    for name in ("web-1-a", "web-1-b"):
        cluster.delete("Pod", name, NAMESPACE)
    body = cluster.get("Deployment", "web", NAMESPACE) or {}
    body["spec"]["paused"] = True
    cluster.put("Deployment", body, NAMESPACE)
    assert judged(view).reason == "paused"
