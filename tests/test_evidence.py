"""What a failure shows, gathered from what the check looked at."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from fakes import COURSE, FakeCluster, pod, state

from kubelab import evidence, labs
from kubelab.checking import LabView
from kubelab.objects import Object, stamp
from kubelab.site import Site
from kubelab.snapshot import Snapshot
from kubelab.verdict import judge

LAB = labs.find(COURSE, "90")
NAMESPACE = "lab-90"


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(Site())


@pytest.fixture
def view(cluster: FakeCluster) -> Iterator[LabView]:
    snapshot = Snapshot(cluster, NAMESPACE)
    yield LabView(cluster, LAB, LAB.task("90.1"), snapshot)
    snapshot.close()


def gather(view: LabView) -> evidence.Evidence:
    def check() -> None:
        one = view.pod("web", image="kubelab/web:1.0")
        assert one.label("app") == "web"
        assert one.runs("kubelab/web:1.0")
        assert one.ready

    return evidence.gather(view, judge(check, view, 0.2))


def test_wanted_and_found_are_the_same_facts(cluster: FakeCluster, view: LabView) -> None:
    cluster.put("Pod", pod("pod-never-ready"), NAMESPACE)
    one = gather(view)
    assert one.wanted == "pod/web   label app=web, image kubelab/web:1.0, ready"
    assert one.found == "pod/web   label app=web, image kubelab/web:3.0, Running, not ready"


def test_what_was_rightly_not_so_is_wanted_not_to_be_so(
    cluster: FakeCluster, view: LabView
) -> None:
    def check() -> None:
        one = view.job("pi")
        assert not one.suspended
        assert one.completions == 6

    job = {"metadata": {"name": "pi", "uid": "1"}, "spec": {"completions": 5}}
    cluster.put("Job", job, NAMESPACE)
    found = evidence.gather(view, judge(check, view, 0.2))
    assert found.wanted == "job/pi   not suspended, completions 6"
    assert found.found == "job/pi   not suspended, completions 5"


def test_the_chain_ends_where_it_stops(cluster: FakeCluster, view: LabView) -> None:
    cluster.put("Pod", pod("pod-crash-loop"), NAMESPACE)
    head, last = gather(view).chain
    assert head.split() == ["Pod", "web", "CrashLoopBackOff"]
    assert last.startswith("└─ container web ")
    assert last.endswith("CrashLoopBackOff, 2 restarts, last exit code 2")


def test_an_owner_stands_above_what_it_made(cluster: FakeCluster, view: LabView) -> None:
    def owned(kind: str, name: str) -> list[Object]:
        return [{"kind": kind, "name": name, "controller": True}]

    body = pod("pod-never-ready")
    body["metadata"]["ownerReferences"] = owned("ReplicaSet", "web-1")
    owner = {"metadata": {"name": "web-1", "ownerReferences": owned("Deployment", "web")}}
    cluster.put("ReplicaSet", owner, NAMESPACE)
    cluster.put("Pod", body, NAMESPACE)
    lines = gather(view).chain
    assert [line.split("  ")[0] for line in lines[:2]] == ["Deployment web", "└─ ReplicaSet web-1"]
    assert lines[2].startswith("   └─ Pod web")


def test_a_pause_is_told_above_the_pods_that_it_keeps(cluster: FakeCluster, view: LabView) -> None:
    def owned(kind: str, name: str) -> list[Object]:
        return [{"kind": kind, "name": name, "controller": True}]

    body = pod("pod-never-ready")
    body["metadata"]["ownerReferences"] = owned("ReplicaSet", "web-1")
    owner = {"metadata": {"name": "web-1", "ownerReferences": owned("Deployment", "web")}}
    cluster.put("ReplicaSet", owner, NAMESPACE)
    cluster.put("Deployment", {"metadata": {"name": "web"}, "spec": {"paused": True}}, NAMESPACE)
    assert evidence.owner_chain(view, body)[0].split() == ["Deployment", "web", "paused"]


def test_events_are_the_newest_warnings_with_their_age(cluster: FakeCluster, view: LabView) -> None:
    recorded = state("pod-never-ready")
    cluster.put("Pod", recorded["Pod"][0], NAMESPACE)
    for one in recorded["Event"]:
        cluster.put("Event", one, NAMESPACE)
    events = gather(view).events
    assert events[0].reason == "Unhealthy"
    assert "statuscode: 503" in events[0].message
    assert [one.age for one in events] == sorted(one.age for one in events)


def test_an_events_pod_id_is_left_out() -> None:
    message = (
        "Back-off restarting failed container web in pod "
        "web_lab-02(5a3893cd-8d65-43c2-be8a-3ca4b9924876)"
    )
    one = evidence.event({"message": message, "reason": "BackOff"}, 0.0)
    assert one.message == "Back-off restarting failed container web"


def test_of_the_layers_of_a_runtime_the_last_word_is_told() -> None:
    lacks = 'exec: "serve": executable file not found in $PATH: unknown'
    layers = (
        "Error: failed to create containerd task: failed to create shim task: OCI runtime create "
        "failed: runc create failed: unable to start container process: error during container "
        f"init: {lacks}"
    )
    assert evidence.event({"message": layers, "reason": "Failed"}, 0.0).message == f"Error: {lacks}"


def test_the_log_of_a_failing_container_is_shown_without_blank_lines(
    cluster: FakeCluster, view: LabView
) -> None:
    cluster.put("Pod", pod("pod-crash-loop"), NAMESPACE)
    cluster.log = ["python3: can't open file", ""]
    assert gather(view).log == ("python3: can't open file",)


def test_a_similar_name_is_a_near_miss(cluster: FakeCluster, view: LabView) -> None:
    body = pod("pod-never-ready")
    body["metadata"]["name"] = "webb"
    cluster.put("Pod", body, NAMESPACE)
    one = gather(view)
    assert (one.reason, one.near) == ("not-found", ("lab-90 has Pod `webb`",))
    assert one.found == "pod/web   not there"


def test_the_right_object_in_another_namespace_is_a_near_miss(
    cluster: FakeCluster, view: LabView
) -> None:
    cluster.put("Pod", pod(), "default")
    one = gather(view)
    assert (one.reason, one.near) == ("wrong-namespace", ("namespace default has Pod `web`",))
    assert "--all-namespaces" in one.look


def test_the_same_object_of_another_lab_is_none(cluster: FakeCluster, view: LabView) -> None:
    labels = {"kubelab.dev/lab": "03"}
    cluster.put("Namespace", {"metadata": {"name": "lab-03", "labels": labels}})
    cluster.put("Pod", pod(), "lab-03")
    cluster.put("Pod", pod(), "kube-system")
    one = gather(view)
    assert (one.reason, one.near) == ("not-found", ())


def test_an_object_of_another_kind_is_a_near_miss(cluster: FakeCluster, view: LabView) -> None:
    cluster.put("Deployment", {"metadata": {"name": "web"}}, NAMESPACE)
    one = gather(view)
    assert one.reason == "wrong-kind"
    assert one.near == ("lab-90 has Deployment `web`, not a Pod",)


def test_evidence_that_cannot_be_read_is_left_out(
    cluster: FakeCluster, view: LabView, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.put("Pod", pod("pod-crash-loop"), NAMESPACE)

    def broken(*_: object, **__: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(cluster, "logs", broken)
    one = gather(view)
    assert one.reason == "crash-loop"
    assert one.log == ()
    assert one.chain != ()


def test_what_does_not_fit_on_a_line_is_left_out_from_the_left(
    cluster: FakeCluster, view: LabView
) -> None:
    cluster.put("Pod", pod(), NAMESPACE)

    def check() -> None:
        one = view.pod("web")
        for _ in range(3):
            assert one.runs("kubelab/web:1.0")
            assert one.readiness == "http"
            assert one.liveness == "http"
        assert one.label("app") == "another-name"

    one = evidence.gather(view, judge(check, view, 0.2))
    assert len(one.wanted) <= evidence.LINE
    assert one.wanted.endswith("liveness probe over HTTP, label app=another-name")


def test_a_log_cannot_write_to_the_learners_terminal() -> None:
    line = "\x1b[2J\x1b[31m02.1  done\x07\ttill größer"
    assert evidence.printable(line) == "?[2J?[31m02.1  done?    till größer"


SCHEDULER = (
    "The control plane is not whole: kube-scheduler does not run. It costs you nothing.",
    "./lab mend",
)


def wrong(cluster: FakeCluster, now: float) -> tuple[str, str | None] | None:
    """What is wrong with the cluster, and what mends it."""
    fault = evidence.broken_environment(cluster, now)
    return (fault.message, fault.look) if fault else None


def test_a_broken_cluster_is_named(cluster: FakeCluster) -> None:
    now = time.time()
    assert wrong(cluster, now) is None
    stale = {"metadata": {"name": "kube-scheduler"}, "spec": {"renewTime": stamp(now - 60)}}
    cluster.put("Lease", stale, "kube-system")
    assert wrong(cluster, now) == SCHEDULER
    cluster.put("Lease", {"metadata": {"name": "kube-scheduler"}, "spec": {}}, "kube-system")
    assert wrong(cluster, now) == SCHEDULER
    condition = {"type": "Ready", "status": "Unknown"}
    node = {"metadata": {"name": "node"}, "status": {"conditions": [condition]}}
    cluster.put("Node", node)
    assert wrong(cluster, now) == ("Node node is not ready. It costs you nothing.", "./lab doctor")


def test_an_api_server_that_is_just_back_is_whole(cluster: FakeCluster) -> None:
    """Nobody could renew a Lease while it was away, so its age says nothing yet."""
    now = time.time()
    stale = {"metadata": {"name": "kube-scheduler"}, "spec": {"renewTime": stamp(now - 60)}}
    cluster.put("Lease", stale, "kube-system")
    cluster.since = now - 10
    assert wrong(cluster, now) is None
    cluster.since = now - 50
    assert wrong(cluster, now) == SCHEDULER
