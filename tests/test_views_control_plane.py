"""What was found out about the control plane, and who placed a Pod: each fault has its reason."""

from __future__ import annotations

import copy
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
NODE = "shop-control-plane"
MACHINE = {"nodeInfo": {"kubeletVersion": "v1.2.3"}}
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
        "kube-scheduler": ["kube-scheduler", "--leader-elect=true"],
        "etcd": ["etcd", "--data-dir=/var/lib/etcd"],
    }.items():
        body: Object = {
            "metadata": {
                "name": f"{component}-shop-control-plane",
                "labels": {"tier": "control-plane", "component": component},
                "annotations": {"kubernetes.io/config.mirror": "0a1b"},
                "ownerReferences": [{"kind": "Node", "name": NODE, "uid": "n", "controller": True}],
            },
            "spec": {"nodeName": NODE, "containers": [{"command": flags}]},
            "status": {"phase": "Running"},
        }
        found.put("Pod", body, "kube-system")
    for node in (NODE, "shop-worker", "shop-worker2"):
        found.put("Node", {"metadata": {"name": node}, "status": MACHINE})
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
    told = {"entries": [asdict(one) for one in entries], "complete": {}}
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
        {"store": "API server (kube-apiserver)"},
        {"store": "KubernetesAPIServer"},
        {"store": "API 服务器"},
        {"scheduler": "the shop-control-plane node"},
        {"scheduler": "kube-scheduler on shop-control-plane"},
        {"scheduler": "kube-scheduler-shop-control-plane"},
        {"scheduler": "the scheduler inside shop-control-plane_0a1b"},
        {"scheduler": "shop-control-plane 节点"},
        {"scheduler": "shop-control-plane_some-other-suffix"},
        {"scheduler": "shop_control_plane"},
        {"store": "kube_apiserver"},
        {"store": "api_server"},
        {"owner": "deployment_controller"},
        {"scheduler": "`shop-control-plane_6fd1c0de-11aa-4b5c-9d3e-0123456789ab`."},
        {"owner": "deployment-controller 用户"},
        {"owner": "deployment-controller (kube-controller-manager)"},
        {"owner": "the user deployment-controller of the kube-controller-manager"},
        {"owner": "the controller deployment-controller"},
        {"owner": "deployment-controller, a controller of the kube-controller-manager"},
        {"owner": "kube-controller-manager 里的 deployment-controller"},
        {"owner": "控制器管理器中的 Deployment 控制器"},
        {"owner": "由控制器 deployment-controller"},
        {"owner": "命名空间 kube-system 的服务账号 deployment-controller"},
        {"store": "kube-apiserver on shop-control-plane"},
        {"store": "shop-control-plane 上的 kube-apiserver"},
        {"store": "只有 API 服务器"},
        {"store": "只有kube-apiserver这个组件"},
        {"scheduler": "shop-control-plane 上的调度器"},
        {"scheduler": "在控制平面节点shop-control-plane上"},
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
        ({"scheduler": "kube-scheduler"}, "wrong-entry"),
        ({"scheduler": "kube-scheduler on shop-worker"}, "wrong-entry"),
        ({"key": f"/deployments/{NAMESPACE}/sleepy"}, "wrong-entry"),
        ({"key": "/registry/deployments/lab-91/sleepy"}, "wrong-entry"),
        ({"owner": "replicaset-controller"}, "wrong-entry"),
        ({"owner": "system:"}, "wrong-entry"),
        ({"store": "the"}, "wrong-entry"),
        ({"store": "kube-apiserver, etcd"}, "wrong-entry"),
        ({"store": "all but kube-apiserver"}, "wrong-entry"),
        ({"store": "除 kube-apiserver 之外的所有组件"}, "wrong-entry"),
        ({"store": "not kube-apiserver"}, "wrong-entry"),
        ({"scheduler": "shop-control-plane_shop-worker_shop-worker2"}, "wrong-entry"),
        ({"scheduler": "shop-control-plane_shop-worker"}, "wrong-entry"),
        ({"scheduler": "shop-control-plane2"}, "wrong-entry"),
        ({"scheduler": "shop-control-plane_every_other_node"}, "wrong-entry"),
        ({"owner": "kube-controller-manager"}, "wrong-entry"),
        ({"owner": "controller"}, "wrong-entry"),
        ({"owner": "node controller, deployment controller"}, "wrong-entry"),
        ({"owner": "the service controller deployment-controller"}, "wrong-entry"),
        ({"owner": "节点控制器, deployment-controller"}, "wrong-entry"),
        ({"owner": "控制器管理器"}, "wrong-entry"),
        ({"owner": "不是 deployment-controller"}, "wrong-entry"),
        ({"store": "shop-control-plane"}, "wrong-entry"),
        ({"store": "kube-apiserver on shop-worker"}, "wrong-entry"),
        ({"store": "etcd on shop-control-plane"}, "wrong-entry"),
        ({"store": "不只有 kube-apiserver"}, "wrong-entry"),
        ({"store": "kube-apiserver 和其它组件"}, "wrong-entry"),
        ({"store": "kube-apiserver, 其它组件"}, "wrong-entry"),
        ({"store": "kube-apiserver 里没有"}, "wrong-entry"),
        ({"scheduler": "调度器"}, "wrong-entry"),
        ({"scheduler": "shop-control-plane 以上的节点"}, "wrong-entry"),
        ({"scheduler": "不在 shop-control-plane 上"}, "wrong-entry"),
        ({"owner": "deployment-controller, replicaset-controller"}, "wrong-entry"),
        ({"owner": " "}, "no-entry"),
    ],
)
def test_each_wrong_entry_is_refused(cluster: Any, said: dict[str, str], reason: str) -> None:
    found = judged(cluster, **said)
    assert (found.verdict, found.reason) == ("fail", reason)


def test_a_pod_that_claims_to_be_a_component_is_none(cluster: Any) -> None:
    """By label and flag; only a kubelet keeps a static Pod."""
    body = {
        "metadata": {
            "name": "kubelet-x",
            "labels": {"tier": "control-plane", "component": "kubelet"},
        },
        "spec": {"containers": [{"command": ["kubelet", "--etcd-servers=https://127.0.0.1:2379"]}]},
    }
    cluster.put("Pod", body, "kube-system")
    found = judged(cluster, store="kubelet")
    assert (found.verdict, found.reason) == ("fail", "wrong-entry")


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({}, True),
        ({"spec": {"nodeName": "nowhere"}}, False),
        ({"spec": {"nodeName": "paper"}, "owner": "paper"}, False),
        ({"owner": "shop-worker"}, False),
        ({"status": {"phase": "Pending"}}, False),
        ({"metadata": {"deletionTimestamp": "2026-11-24T12:00:00Z"}}, False),
    ],
)
def test_the_marks_of_a_static_pod_are_anybodys_to_write(
    cluster: Any, changes: Any, passes: bool
) -> None:
    """A kubelet runs what it keeps, and removes what it does not know."""
    cluster.put("Node", {"metadata": {"name": "paper"}})
    body = copy.deepcopy(cluster.get("Pod", f"kube-apiserver-{NODE}", "kube-system"))
    body["metadata"] |= {"name": "kubelet-x", "uid": "x", **changes.get("metadata", {})}
    body["metadata"]["labels"]["component"] = "kubelet"
    body["metadata"]["ownerReferences"][0]["name"] = changes.get("owner", NODE)
    body["spec"] |= changes.get("spec", {})
    body["status"] |= changes.get("status", {})
    cluster.put("Pod", body, "kube-system")
    assert (judged(cluster, store="kubelet").verdict == "pass") is passes
    assert judged(cluster).verdict == "pass"


def test_a_store_that_is_not_shown_just_now_is_nobodys_fault(cluster: Any) -> None:
    cluster.delete("Pod", f"kube-apiserver-{NODE}", "kube-system")
    found = judged(cluster)
    assert (found.verdict, found.again > 0) == ("env", True)


@pytest.mark.parametrize("holder", ["shop-worker_by-hand", ""])
def test_a_lease_that_no_scheduler_holds_says_nothing(cluster: Any, holder: str) -> None:
    """Written by hand, or let go of for a moment: there is one scheduler all the same."""
    lease = {"metadata": {"name": "kube-scheduler"}, "spec": {"holderIdentity": holder}}
    cluster.put("Lease", lease, "kube-system")
    assert judged(cluster).verdict == "pass"
    assert judged(cluster, scheduler="shop-worker").reason == "wrong-entry"


def test_which_of_several_schedulers_is_at_work_may_be_open_for_a_moment(cluster: Any) -> None:
    first = cluster.get("Pod", f"kube-scheduler-{NODE}", "kube-system")
    other = copy.deepcopy(first)
    other["metadata"] |= {"name": "kube-scheduler-shop-two", "uid": "uid-two"}
    other["spec"]["nodeName"] = other["metadata"]["ownerReferences"][0]["name"] = "shop-two"
    cluster.put("Node", {"metadata": {"name": "shop-two"}, "status": MACHINE})
    cluster.put("Pod", other, "kube-system")
    lease = {"metadata": {"name": "kube-scheduler"}, "spec": {"holderIdentity": ""}}
    cluster.put("Lease", lease, "kube-system")
    assert judged(cluster).verdict == "env"


def test_a_creation_that_is_not_on_record_is_nobodys_fault(cluster: Any) -> None:
    record(cluster)
    found = judged(cluster)
    assert (found.verdict, found.reason) == ("env", "environment")
    assert "not on record" in found.message
    # A record that is late has it at a second try.
    assert found.again


def test_a_deployment_that_was_deleted_is_told(cluster: Any) -> None:
    cluster.delete("Deployment", "sleepy", NAMESPACE)
    found = judged(cluster)
    assert (found.verdict, found.reason) == ("fail", "not-found")
    assert "no ReplicaSet of Deployment sleepy is there" in [row.found for row in found.rows]


def test_a_controller_that_has_not_come_to_make_a_replica_set_is_waited_for(cluster: Any) -> None:
    cluster.delete("ReplicaSet", "sleepy-1", NAMESPACE)
    body = {"metadata": {"name": "sleepy", "uid": "uid-sleepy", "generation": 1}}
    cluster.put("Deployment", body, NAMESPACE)
    found = judged(cluster)
    assert (found.verdict, found.reason) == ("not_yet", "not-found")


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
        assert waiting.on_a_node
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
    ("user", "impersonated"),
    [
        ("kubernetes-admin", "system:kube-scheduler"),
        (f"system:serviceaccount:{NAMESPACE}:by-hand", None),
        ("system:serviceaccount:kube-system:by-hand", None),
    ],
)
def test_a_scheduler_of_ones_own_is_the_learner(
    cluster: Any, user: str, impersonated: str | None
) -> None:
    assert placed(cluster, by(user, impersonated)).verdict == "pass"


@pytest.mark.parametrize("agent", ["kubectl/v1 (linux/amd64)", "curl/8", ""])
def test_who_reads_the_schedulers_kubeconfig_is_not_the_scheduler(cluster: Any, agent: str) -> None:
    assert placed(cluster, by("system:kube-scheduler", user_agent=agent)).verdict == "pass"


@pytest.mark.parametrize(
    ("entries", "node", "reason"),
    [
        ([], None, "no-binding"),
        ([], "shop-worker", "no-binding"),
        ([by("system:kube-scheduler")], "shop-worker", "wrong-binder"),
        (
            [by("system:kube-scheduler", user_agent="kube-scheduler/v1")],
            "shop-worker",
            "wrong-binder",
        ),
        ([by("ann", dry_run=True)], "shop-worker", "no-binding"),
        ([by("ann", name="other")], "shop-worker", "no-binding"),
        ([by("ann")], "nowhere", "no-such-node"),
    ],
)
def test_another_way_to_a_node_is_refused(
    cluster: Any, entries: list[Any], node: str | None, reason: str
) -> None:
    found = placed(cluster, *entries, node=node)
    assert (found.verdict, found.reason) == ("fail", reason)


def test_a_node_without_a_kubelet_has_no_ready_pod(cluster: Any) -> None:
    """Somebody made the Node, and wrote down that the Pod is ready."""
    cluster.put("Node", {"metadata": {"name": "paper"}})
    assert placed(cluster, by("ann"), node="paper").verdict == "pass"
    for node, reason in (("paper", "not-ready"), ("shop-worker", None)):
        placed(cluster, by("ann"), node=node)
        view = looked(cluster)

        def check(view: LabView = view) -> None:
            assert view.placed("waiting").ready

        assert judge(check, view, 0.2).reason == reason


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
    assert (found.verdict, found.again > 0) == ("env", True)
    assert "has not seen the newest change of sleepy" in found.message
