"""Acting on copies: one at a time, cleaned up, and what was disturbed is put back."""

from __future__ import annotations

import time
from unittest.mock import Mock

import pytest
from fakes import FakeCluster, pod

from kubelab import acting
from kubelab.acting import LEASE, Undo
from kubelab.api import Refused
from kubelab.errors import Busy, EnvironmentFault, NoCluster
from kubelab.objects import Object, name_of, stamp
from kubelab.proofs import Proofs
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


def test_a_copy_has_no_name_and_no_gate_that_are_the_originals_alone() -> None:
    """Whoever opens a gate knows no copy, and its longer name may be none for a host."""
    body = pod()
    gates = [{"conditionType": "shop.example/open"}]
    own = {"hostname": "web", "setHostnameAsFQDN": True, "readinessGates": gates}
    body["spec"] |= own | {"subdomain": "shop"}
    copy = acting.copy_of(body, 90)["spec"]
    assert not copy.keys() & own.keys()
    assert copy["subdomain"] == "shop"


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
    cluster.create("Pod", left, NAMESPACE)
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
    cluster.create("Pod", copy, NAMESPACE)
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


def test_a_copy_asks_little_and_shares_no_volume() -> None:
    body = pod()
    box = body["spec"]["containers"][0]
    box["resources"] = {"requests": {"cpu": "3", "memory": "16Mi"}, "limits": {"memory": "6Gi"}}
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": "menu"}}
    body["spec"]["volumes"] += [claim, {"name": "own", "emptyDir": {"medium": "Memory"}}]
    copy = acting.copy_of(body, 90)["spec"]
    assert copy["containers"][0]["resources"] == {
        "requests": {"cpu": "100m", "memory": "16Mi"},
        "limits": {"memory": "256Mi"},
    }
    assert copy["volumes"] == [
        {"name": "data", "emptyDir": {}},
        {"name": "own", "emptyDir": {"medium": "Memory"}},
    ]


@pytest.mark.parametrize(("several", "kept"), [((True, True), True), ((True, False), False)])
def test_a_copy_reads_what_the_original_only_reads(several: tuple[bool, ...], kept: bool) -> None:
    body = pod()
    box = body["spec"]["containers"][0]
    box["volumeMounts"] = [
        {"name": "node", "mountPath": f"/node/{number}", "readOnly": only}
        for number, only in enumerate(several)
    ]
    volume = {"name": "node", "hostPath": {"path": "/etc/hostname", "type": "File"}}
    body["spec"]["volumes"] = [dict(volume)]
    assert acting.copy_of(body, 90)["spec"]["volumes"] == [
        volume if kept else {"name": "node", "emptyDir": {}}
    ]


def test_a_copy_reads_a_claim_that_is_read_as_a_whole() -> None:
    body = pod()
    body["spec"]["containers"][0]["volumeMounts"] = [{"name": "store", "mountPath": "/store"}]
    claim = {"claimName": "store", "readOnly": True}
    body["spec"]["volumes"] = [{"name": "store", "persistentVolumeClaim": dict(claim)}]
    (volume,) = acting.copy_of(body, 90)["spec"]["volumes"]
    assert volume["persistentVolumeClaim"] == claim


def test_a_lasting_copy_has_what_a_run_of_the_original_has() -> None:
    body = pod()
    box = body["spec"]["containers"][0]
    box["resources"] = {"requests": {"memory": "1Gi"}, "limits": {"memory": "6Gi"}}
    body["spec"]["hostNetwork"] = True
    named = acting.copy_of(body, 90, lasting=True)["spec"]
    wanted = {"requests": {"memory": "128Mi"}, "limits": {"memory": "6Gi"}}
    assert named["containers"][0]["resources"] == wanted
    assert "hostNetwork" not in named, "The port that it names is the original's."
    del box["ports"]
    assert acting.copy_of(body, 90, lasting=True)["spec"]["hostNetwork"] is True
    assert "hostNetwork" not in acting.copy_of(body, 90)["spec"]


def test_a_held_copy_stays_until_it_is_swept(cluster: FakeCluster) -> None:
    copy = acting.copy_of(pod(), 90, held=True)
    assert copy["metadata"]["finalizers"] == [acting.FINALIZER]
    cluster.create("Pod", copy, NAMESPACE)
    kept = ("Pod", copy["metadata"]["name"], NAMESPACE)
    cluster.delete(*kept)
    assert cluster.get(*kept) is not None
    acting.sweep(cluster, NAMESPACE)
    assert cluster.get(*kept) is None


def test_a_quota_without_room_is_told_before_anything_is_made(cluster: FakeCluster) -> None:
    status = {"hard": {"pods": "30"}, "used": {"pods": "30"}}
    cluster.put("ResourceQuota", {"metadata": {"name": "lab"}, "status": status}, NAMESPACE)
    with pytest.raises(EnvironmentFault, match=r"no room .*: 30 of 30 pods are in use"):
        acting.make(cluster, NAMESPACE, acting.copy_of(pod(), 90))
    assert cluster.objects("Pod", NAMESPACE) == []


def test_acting_keeps_to_its_time(cluster: FakeCluster) -> None:
    with acting.limited(0.0), acting.acting(cluster, NAMESPACE) as holder:
        cluster.put("Pod", pod(), NAMESPACE)
        with pytest.raises(EnvironmentFault, match="came to no end within 0 s"):
            acting.until(holder, "web", lambda _: False, 5.0)
    with acting.acting(cluster, NAMESPACE) as holder:
        holder.renew()


SERVICE: Object = {"kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": []}}


def test_what_was_disturbed_is_put_back(cluster: FakeCluster) -> None:
    cluster.put("Service", SERVICE, NAMESPACE)
    undo = Undo("Service", "web", body=SERVICE)
    with acting.acting(cluster, NAMESPACE) as holder, acting.disturbing(holder, undo):
        cluster.delete("Service", "web", NAMESPACE)
    assert cluster.get("Service", "web", NAMESPACE) is not None
    assert Proofs(cluster, NAMESPACE).promised() == []


@pytest.mark.parametrize("fault", [Busy("late"), NoCluster("away")], ids=["late", "away"])
def test_what_could_not_be_put_back_at_once_is_put_back_later(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, fault: EnvironmentFault
) -> None:
    monkeypatch.setattr(acting, "PAUSE", 0.0)
    cluster.put("Service", SERVICE, NAMESPACE)
    undo, create = Undo("Service", "web", body=SERVICE), cluster.create
    faults = [fault] * (acting.RESTORES - 1)

    def late(kind: str, body: Object, namespace: str) -> Object:
        if kind == "Service" and faults:
            raise faults.pop()
        return create(kind, body, namespace)

    monkeypatch.setattr(cluster, "create", late)
    with acting.acting(cluster, NAMESPACE) as holder, acting.disturbing(holder, undo):
        cluster.delete("Service", "web", NAMESPACE)
    assert cluster.get("Service", "web", NAMESPACE) is not None
    assert Proofs(cluster, NAMESPACE).promised() == []
    # Where the API server stays away, the next one puts it back.
    faults += [fault] * acting.RESTORES
    away = pytest.raises(type(fault))
    with away, acting.acting(cluster, NAMESPACE) as holder, acting.disturbing(holder, undo):
        cluster.delete("Service", "web", NAMESPACE)
    assert Proofs(cluster, NAMESPACE).promised() == [undo]


def test_the_lease_is_given_back_where_the_sweeping_fails(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the next check waits for nobody; it sweeps itself."""
    fault = NoCluster("The API server does not answer.")
    with pytest.raises(NoCluster), acting.acting(cluster, NAMESPACE):
        monkeypatch.setattr(acting, "sweep", Mock(side_effect=fault))
    assert cluster.get("Lease", acting.LEASE, NAMESPACE) is None


def test_what_a_crash_left_disturbed_is_put_back_by_the_next_one(cluster: FakeCluster) -> None:
    cluster.put("Lease", lease(5.0), NAMESPACE)
    Proofs(cluster, NAMESPACE).promise(Undo("Service", "web", body=SERVICE))
    acting.mend(cluster, NAMESPACE)
    assert cluster.get("Service", "web", NAMESPACE) is None, "its maker may be at work"
    cluster.put("Lease", lease(acting.LEASE_SECONDS + 5.0), NAMESPACE)
    acting.mend(cluster, NAMESPACE)
    assert cluster.get("Service", "web", NAMESPACE) is not None


def test_an_object_that_was_changed_is_changed_back(cluster: FakeCluster) -> None:
    cluster.put("Service", SERVICE | {"spec": {"ports": [], "paused": True}}, NAMESPACE)
    Proofs(cluster, NAMESPACE).promise(Undo("Service", "web", patch={"spec": {"paused": None}}))
    with acting.acting(cluster, NAMESPACE):
        there = cluster.get("Service", "web", NAMESPACE)
    assert there is not None
    assert there["spec"] == {"ports": []}


def test_a_copy_is_told_the_labels_that_it_has_not() -> None:
    one = pod()
    one["metadata"]["labels"] = {"app": "web", "name": "shop"}
    own = {"fieldRef": {"fieldPath": "metadata.labels['name']"}}
    job = {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/job-name']"}}
    variables = [{"name": "NAME", "valueFrom": own}, {"name": "JOB", "valueFrom": job}]
    one["spec"]["containers"][0]["env"] = variables
    whole, again = (
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}} for _ in range(2)
    )
    items = [{"path": "name", "fieldRef": dict(own["fieldRef"])}, whole]
    one["spec"]["volumes"] = [
        {"name": "a", "downwardAPI": {"items": items}},
        {"name": "b", "projected": {"sources": [{"downwardAPI": {"items": [again]}}]}},
        {"name": "c", "configMap": {"name": "c"}},
    ]
    copy = acting.copy_of(one, 60)
    given, left = copy["spec"]["containers"][0]["env"]
    assert (given["value"], left["valueFrom"]) == ("shop", job)
    notes = copy["metadata"]["annotations"]
    first, second = copy["spec"]["volumes"][0]["downwardAPI"]["items"]
    assert first["fieldRef"]["fieldPath"] == "metadata.annotations['kubelab.dev/a.0']"
    assert notes["kubelab.dev/a.0"] == "shop"
    assert second["fieldRef"]["fieldPath"] == "metadata.annotations['kubelab.dev/a.1']"
    assert notes["kubelab.dev/a.1"] == 'app="web"\nname="shop"'
    assert notes["kubelab.dev/b.0"] == notes["kubelab.dev/a.1"]


def test_copies_are_let_through_where_policies_speak_of_labels(cluster: FakeCluster) -> None:
    with acting.acting(cluster, NAMESPACE):  # type: ignore[arg-type]
        assert cluster.objects("NetworkPolicy", NAMESPACE) == []
    cluster.put("NetworkPolicy", {"metadata": {"name": "default-deny"}}, NAMESPACE)
    with acting.acting(cluster, NAMESPACE):  # type: ignore[arg-type]
        policies = {name_of(one): one for one in cluster.objects("NetworkPolicy", NAMESPACE)}
        (asked,) = policies["kubelab-copies"]["spec"]["podSelector"]["matchExpressions"]
        assert asked == {"key": COPY_LABEL, "operator": "Exists"}
    assert list(map(name_of, cluster.objects("NetworkPolicy", NAMESPACE))) == ["default-deny"]


def test_a_sweep_takes_the_copies_of_jobs_with_their_pods(cluster: FakeCluster) -> None:
    labels = {COPY_LABEL: "tick"}
    owner = {"kind": "Job", "name": "tick-copy-1", "uid": "uid-tick-copy-1", "controller": True}
    cluster.create("Job", {"metadata": {"name": "tick-copy-1", "labels": labels}}, NAMESPACE)
    # A Pod of a copy was made by Kubernetes, not by the course; the label alone is no proof.
    made = {"name": "tick-copy-1-x", "labels": labels, "ownerReferences": [owner]}
    cluster.put("Pod", {"metadata": made}, NAMESPACE)
    cluster.put("Pod", {"metadata": {"name": "mine", "labels": labels}}, NAMESPACE)
    cluster.put("Job", {"metadata": {"name": "mine", "labels": labels}}, NAMESPACE)
    acting.sweep(cluster, NAMESPACE)
    assert [one["metadata"]["name"] for one in cluster.objects("Pod", NAMESPACE)] == ["mine"]
    assert [one["metadata"]["name"] for one in cluster.objects("Job", NAMESPACE)] == ["mine"]
