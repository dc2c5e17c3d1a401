"""What was found out about the control plane, and who placed a Pod: each fault has its reason."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from fakes import COURSE, FakeCluster
from test_pauses import UID, entry
from test_pauses import record as deployments_record

from kubelab import history, labs, learner
from kubelab.checking import LabView
from kubelab.objects import Object
from kubelab.site import Site
from kubelab.snapshot import Snapshot
from kubelab.verdict import Judgement, judge

NAMESPACE = "lab-90"
MAKER = "system:serviceaccount:kube-system:deployment-controller"
RIGHT = {
    "store": "kube-apiserver",
    "scheduler": "shop-control-plane",
    "key": f"/registry/deployments/{NAMESPACE}/sleepy",
    "owner": "deployment-controller",
}
MADE = entry(5.0, verb="create", user=MAKER, name="sleepy-1", code=201)


@pytest.fixture
def cluster() -> Any:
    found = FakeCluster(Site())
    for component, flags in {
        "kube-apiserver": ["kube-apiserver", "--etcd-servers=https://127.0.0.1:2379"],
        "etcd": ["etcd", "--data-dir=/var/lib/etcd"],
    }.items():
        body: Object = {
            "metadata": {
                "name": f"{component}-shop-control-plane",
                "labels": {"tier": "control-plane", "component": component},
            },
            "spec": {"containers": [{"command": flags}]},
        }
        found.put("Pod", body, "kube-system")
    lease = {
        "metadata": {"name": "kube-scheduler"},
        "spec": {"holderIdentity": "shop-control-plane_0a1b", "renewTime": "2999-01-01T00:00:00Z"},
    }
    found.put("Lease", lease, "kube-system")
    found.put("Deployment", {"metadata": {"name": "sleepy", "uid": "uid-sleepy"}}, NAMESPACE)
    owner = {"kind": "Deployment", "name": "sleepy", "uid": "uid-sleepy", "controller": True}
    body = {"metadata": {"name": "sleepy-1", "ownerReferences": [owner]}}
    found.put("ReplicaSet", body, NAMESPACE)
    record(found, MADE)
    return found


def record(cluster: Any, *entries: Any) -> None:
    told = {"entries": [asdict(one) for one in entries], "oldest": 0.0}
    cluster.recorder = lambda path, _: told if path == "audit" else {}


def looked(cluster: Any) -> LabView:
    lab = labs.find(COURSE, "90")
    return LabView(cluster, lab, lab.task("90.1"), Snapshot(cluster, NAMESPACE))


def judged(cluster: Any, **more: str) -> Judgement:
    body = {"metadata": {"name": "answers"}, "data": RIGHT | more}
    cluster.put("ConfigMap", body, NAMESPACE)
    view = looked(cluster)

    def check() -> None:
        answers = view.control_plane("answers", "sleepy")
        assert answers.store
        assert answers.scheduler
        assert answers.key
        assert answers.owner

    return judge(check, view, 0.2)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"store": "the Kubernetes API server"},
        {"store": "KUBE-APISERVER-shop-control-plane"},
        {"scheduler": "Shop-Control-Plane_99"},
        {"key": f'"registry/deployments/{NAMESPACE}/sleepy/"\n'},
        {"owner": MAKER},
        {"owner": "The Deployment controller"},
    ],
)
def test_spelling_case_and_suffix_make_no_difference(cluster: Any, said: dict[str, str]) -> None:
    assert judged(cluster, **said).verdict == "pass"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"store": "etcd"}, "wrong-entry"),
        ({"scheduler": "shop-worker"}, "wrong-entry"),
        ({"scheduler": "0a1b"}, "wrong-entry"),
        ({"key": f"/deployments/{NAMESPACE}/sleepy"}, "wrong-entry"),
        ({"key": "/registry/deployments/lab-91/sleepy"}, "wrong-entry"),
        ({"owner": "replicaset-controller"}, "wrong-entry"),
        ({"owner": "system:"}, "wrong-entry"),
        ({"store": "the"}, "wrong-entry"),
        ({"owner": " "}, "no-entry"),
    ],
)
def test_each_wrong_entry_is_refused(cluster: Any, said: dict[str, str], reason: str) -> None:
    found = judged(cluster, **said)
    assert (found.verdict, found.reason) == ("fail", reason)


def test_a_creation_that_is_not_on_record_is_nobodys_fault(cluster: Any) -> None:
    record(cluster)
    found = judged(cluster)
    assert (found.verdict, found.reason) == ("env", "environment")
    assert "not on record" in found.message


def test_a_deployment_that_was_deleted_is_told(cluster: Any) -> None:
    cluster.delete("Deployment", "sleepy", NAMESPACE)
    found = judged(cluster)
    assert (found.verdict, found.reason) == ("fail", "not-found")
    assert "no ReplicaSet of Deployment sleepy is there" in [row.found for row in found.rows]


def test_a_failure_does_not_tell_the_answer(cluster: Any) -> None:
    row = judged(cluster, store="etcd").rows[-1]
    assert (row.wanted, row.found) == (
        "store: the component that alone talks to etcd",
        "store: etcd",
    )


# The Pod that waits


BINDING = {"verb": "create", "resource": "pods", "subresource": "binding", "name": "waiting"}


def placed(cluster: Any, *entries: Any, node: str | None = "shop-worker") -> Judgement:
    body = {
        "metadata": {"name": "waiting", "creationTimestamp": "1970-01-01T00:00:10Z"},
        "spec": {"schedulerName": "by-hand", "nodeName": node, "containers": []},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    cluster.put("Pod", body, NAMESPACE)
    learner.keep_baseline(cluster, NAMESPACE, {"Pod/waiting": "uid-waiting"})
    record(cluster, *entries)
    view = looked(cluster)

    def check() -> None:
        waiting = view.placed("waiting")
        assert waiting.scheduler == "by-hand"
        assert waiting.bound_by_hand
        assert waiting.same

    return judge(check, view, 0.2)


def by(user: str, impersonated: str | None = None, **more: Any) -> Any:
    return entry(20.0, code=201, user=user, impersonated=impersonated, **(BINDING | more))


def test_a_binding_of_the_learner_passes_and_stays_proved(cluster: Any) -> None:
    assert placed(cluster, by("kubernetes-admin", "learner")).verdict == "pass"
    assert placed(cluster).verdict == "pass"


def test_a_binding_may_be_made_as_an_object_of_its_own(cluster: Any) -> None:
    one = by("kubernetes-admin", "learner", resource="bindings", subresource="")
    assert placed(cluster, one).verdict == "pass"


@pytest.mark.parametrize(
    ("entries", "node", "reason"),
    [
        ([], None, "no-binding"),
        ([], "shop-worker", "no-binding"),
        ([by("system:kube-scheduler")], "shop-worker", "wrong-binder"),
        ([by("ann", dry_run=True)], "shop-worker", "no-binding"),
        ([by("ann", name="other")], "shop-worker", "no-binding"),
    ],
)
def test_another_way_to_a_node_is_refused(
    cluster: Any, entries: list[Any], node: str | None, reason: str
) -> None:
    found = placed(cluster, *entries, node=node)
    assert (found.verdict, found.reason) == ("fail", reason)


# The Deployment that was changed while nobody worked


def test_a_record_that_is_behind_is_nobodys_fault(
    cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"metadata": {"name": "sleepy", "uid": UID}, "spec": {"replicas": 3}}
    cluster.put("Deployment", body, NAMESPACE)
    monkeypatch.setattr(history, "deployments", lambda *_: (deployments_record((1.0, 1)),))
    view = looked(cluster)

    def check() -> None:
        assert view.asleep("sleepy").asked

    found = judge(check, view, 0.2)
    assert (found.verdict, found.passing) == ("env", True)
    assert "has not seen the newest change of sleepy" in found.message
