"""A Pod of the course that asks with labels of its own: how it is made, used and removed."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import FakeCluster

from kubelab import acting, asker
from kubelab.errors import EnvironmentFault
from kubelab.objects import meta
from kubelab.site import Site

RUNNING = {"podIP": "10.244.0.9", "containerStatuses": [{"state": {"running": {}}}]}


class Starting(FakeCluster):
    """A cluster whose Pods run as soon as they are made."""

    status: Any = RUNNING

    def create(self, kind: str, body: Any, *args: Any, **more: Any) -> Any:
        if kind == "Pod":
            body = {**body, "status": self.status}
        return super().create(kind, body, *args, **more)


@pytest.fixture
def cluster(site: Site) -> Starting:
    fake = Starting(site)
    fake.answer = lambda _: [{"status": 200, "body": "hi"}]
    return fake


def test_it_asks_from_a_pod_with_these_labels_and_is_gone_afterwards(cluster: Starting) -> None:
    """With the label by which a sweep finds it after a crash."""
    with asker.from_pod(cluster, "lab-90", {"role": "frontend"}) as one:
        (pod,) = cluster.objects("Pod", "lab-90")
        assert meta(pod)["labels"] == {"role": "frontend", "kubelab.dev/copy-of": "asker"}
        assert one.http("http://db/")[0].status == 200
    assert cluster.objects("Pod", "lab-90") == []
    assert cluster.get("Lease", acting.LEASE, "lab-90") is None
    assert f"proxied {meta(pod)['name']}:8080 ask" in cluster.calls


def test_no_controller_adopts_it_and_no_service_sends_to_it(cluster: Starting) -> None:
    """It has an owner, goes with it, is never ready, and ends by itself."""
    with asker.from_pod(cluster, "lab-90", {"app": "web"}):
        (pod,) = cluster.objects("Pod", "lab-90")
        lease = cluster.get("Lease", acting.LEASE, "lab-90")
    (owner,) = meta(pod)["ownerReferences"]
    assert owner["controller"] is True
    assert (owner["kind"], owner["uid"]) == ("Lease", meta(lease)["uid"])
    assert pod["spec"]["readinessGates"] == [{"conditionType": "kubelab.dev/never"}]
    assert pod["spec"]["activeDeadlineSeconds"] == 120


def test_it_is_gone_also_where_the_question_fails(cluster: Starting) -> None:
    """The error comes through."""
    cluster.answer = None
    with (
        pytest.raises(EnvironmentFault),
        asker.from_pod(cluster, "lab-90", {"app": "web"}) as one,
    ):
        one.http("http://db/")
    assert cluster.objects("Pod", "lab-90") == []


def test_a_pod_that_does_not_start_is_an_environment_fault(
    cluster: Starting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves nothing behind."""
    monkeypatch.setattr(asker, "START", 0.0)
    cluster.status = {}
    with (
        pytest.raises(EnvironmentFault, match="did not start"),
        asker.from_pod(cluster, "lab-90", {}),
    ):
        raise AssertionError("it asks")
    assert cluster.objects("Pod", "lab-90") == []
