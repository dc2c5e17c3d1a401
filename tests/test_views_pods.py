"""What a check reads of Pods with several containers, and of the Deployment that is repaired."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import COURSE, FakeCluster, pod

from kubelab import labs, replacing, sidecar
from kubelab.checking import LabView
from kubelab.errors import Busy, EnvironmentFault
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


@pytest.mark.parametrize(
    ("named", "open_at", "found"),
    [((80,), 8080, 8080), ((80,), 80, 80), ((80, 9100), 9100, 9100), ((80,), None, 80)],
)
def test_a_port_that_is_named_and_not_open_is_not_asked(
    named: tuple[int, ...], open_at: int | None, found: int
) -> None:
    body = pod()
    body["spec"]["containers"][0] |= {"ports": [{"containerPort": one} for one in named]}
    body["spec"]["containers"][0].pop("readinessProbe", None)

    def answer(question: Object) -> list[Object]:
        there = f":{open_at}/" in question["url"]
        return [{"status": 404} if there else {"reason": "refused", "error": "refused"}]

    assert view(("Pod", body), answer=answer).pod("web").port(8080) == found


def test_a_port_that_is_slow_is_asked_with_more_time_by_others() -> None:
    body = pod()
    body["spec"]["containers"][0] |= {"ports": [{"containerPort": 80}]}

    def answer(question: Object) -> list[Object]:
        reason = "timeout" if ":8080/" in question["url"] else "refused"
        return [{"status": None, "reason": reason, "error": reason}]

    assert view(("Pod", body), answer=answer).pod("web").port(8080) == 8080


def test_the_port_of_a_readiness_probe_is_believed() -> None:
    body = pod()
    probe = {"httpGet": {"path": "/", "port": 9090}}
    body["spec"]["containers"][0] |= {"ports": [{"containerPort": 80}], "readinessProbe": probe}
    refused = [{"reason": "refused", "error": "refused"}]
    assert view(("Pod", body), answer=lambda _: refused).pod("web").port(8080) == 9090


@pytest.mark.parametrize(("page", "found"), [((8080, 9000), 9000), ((8080,), 8080), ((), 9000)])
def test_a_readiness_probe_may_ask_a_container_beside_the_page(
    page: tuple[int, ...], found: int
) -> None:
    """The one beside answers 404 to everything but its probe; where nobody has the page, it is."""
    body = pod()
    probe = {"httpGet": {"path": "/ready", "port": 9000}}
    body["spec"]["containers"][0] |= {"readinessProbe": probe}

    def answer(question: Object) -> list[Object]:
        there = any(f":{port}/" in question["url"] for port in page)
        headers = {"x-web-pod": "web"} if there else {}
        return [{"status": 200 if there else 404, "headers": headers}]

    assert view(("Pod", body), answer=answer).pod("web").port(8080) == found


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


LATE = {"status": None, "reason": "timeout", "error": "no answer within 2 s"}


def served(*texts: str | None, busy: bool = False) -> Any:
    """A Pod that serves these texts in turn, the last one for ever; None: nothing in time."""
    asked: list[Object] = []

    def answer(question: Object) -> list[Object]:
        if question["url"] == replacing.CONTROL:
            return [LATE if busy else {"status": 200}] * question["count"]
        asked.append(question)
        text = texts[min(len(asked), len(texts)) - 1]
        return [LATE if text is None else {"status": 200, "body": text}]

    return answer


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is looked at once more, and nobody waits for that."""
    monkeypatch.setattr("kubelab.views.files.STEP", 0.0)
    monkeypatch.setattr(sidecar, "ALLOWANCE", 0.0)


def test_a_file_that_came_late_is_asked_for_again() -> None:
    lab = view(("Pod", pod()), answer=served(None, "uid-1\n"))
    assert lab.file(lab.pod("web"), 8080, "/file").served.value == 200


@pytest.mark.usefixtures("at_once")
def test_a_file_is_looked_at_once_more_when_its_time_is_over() -> None:
    """An answer of a busy machine may have taken all of it."""
    lab = view(("Pod", pod()), answer=served("uid-1\nsoup", "uid-1\nstew"))
    assert lab.file(lab.pod("web"), 8080, "/file").changes_within(2, 0.0)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("texts", "busy", "fault"),
    [
        (("uid-1\nsoup",), False, None),
        (("uid-1\nsoup",), True, "too busy"),
        (("uid-1\nsoup", None), True, "too busy"),
        (("uid-1\nsoup", None), False, None),
    ],
    ids=["same", "busy", "late", "hanging"],
)
def test_where_a_file_is_not_seen_to_change_a_busy_machine_may_be_to_blame(
    texts: tuple[str | None, ...], busy: bool, fault: str | None
) -> None:
    lab = view(("Pod", pod()), answer=served(*texts, busy=busy))
    found = lab.file(lab.pod("web"), 8080, "/file")
    if fault is None:
        assert not found.changes_within(2, 0.0).value
        return
    with pytest.raises(Busy, match=fault):
        found.changes_within(2, 0.0)


@pytest.mark.usefixtures("at_once")
def test_a_time_in_which_a_file_was_not_seen_begins_anew() -> None:
    lab = view(("Pod", pod()), answer=served("uid-1\nsoup", None, "uid-1\nstew"))
    assert lab.file(lab.pod("web"), 8080, "/file").changes_within(2, 0.0)


@pytest.mark.parametrize("busy", [True, False])
def test_a_pod_that_answers_nothing_in_time_may_be_on_a_busy_machine(busy: bool) -> None:
    lab = view(("Pod", pod()), answer=served(None, busy=busy))
    if busy:
        with pytest.raises(Busy, match="too busy"):
            lab.ask.http(lab.pod("web"), 8080)
        return
    seen = lab.ask.http(lab.pod("web"), 8080).status
    assert seen.fact.reason(seen.value) == "no-answer"


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


OWNER = {"kind": "Deployment", "name": "broken", "uid": "uid-1", "controller": True}
REPLICAS = {"metadata": {"name": "broken-1", "uid": "uid-2", "ownerReferences": [OWNER]}}
ABOVE = {"kind": "ReplicaSet", "name": "broken-1", "uid": "uid-2", "controller": True}


def replicated(**more: Any) -> Object:
    """A Pod of the ReplicaSet."""
    body = pod()
    body["metadata"] |= {"ownerReferences": [ABOVE]} | more
    return body


@pytest.mark.parametrize(("ran", "seconds"), [(45, 50), (2, 9), (600, 60)])
def test_a_container_that_ended_has_to_run_longer_than_it_did(ran: int, seconds: float) -> None:
    ended = {
        "startedAt": "2026-11-24T12:00:00Z",
        "finishedAt": f"2026-11-24T12:{ran // 60:02}:{ran % 60:02}Z",
    }
    again = replicated(name="again")
    again["status"] = {"containerStatuses": [{"name": "web", "lastState": {"terminated": ended}}]}
    lab = view(("Deployment", deployment()), ("ReplicaSet", REPLICAS), ("Pod", again))
    assert lab.repaired("broken", "kubelab/web:1.0", "web").proving_time == seconds


@pytest.mark.parametrize(
    ("manager", "path", "own"),
    [
        ("kube-controller-manager", "f:generateName", True),
        ("kubectl-create", "f:labels", False),
        ("kubectl-create", "f:generateName", False),
    ],
)
def test_a_pod_that_a_deployment_adopted_is_none_of_its_template(
    manager: str, path: str, own: bool
) -> None:
    fields = [{"manager": manager, "fieldsV1": {"f:metadata": {path: {}}}}]
    one = replicated(name="one", managedFields=fields)
    lab = view(("Deployment", deployment()), ("ReplicaSet", REPLICAS), ("Pod", one))
    seen = lab.repaired("broken", "kubelab/web:1.0", "web").generated
    assert seen.value is own
    if not own:
        assert seen.fact.reason(False) == "pod-by-hand"
        assert seen.fact.words(False) == "one was made by hand and adopted"


def test_a_pod_that_was_applied_again_comes_from_its_template_all_the_same() -> None:
    """The server shares a field among all who apply it as it is."""
    name = {"f:metadata": {"f:generateName": {}}}
    several = [
        {"manager": manager, "fieldsV1": name} for manager in ("kubectl", "kube-controller-manager")
    ]
    one = replicated(name="one", managedFields=several)
    lab = view(("Deployment", deployment()), ("ReplicaSet", REPLICAS), ("Pod", one))
    assert lab.repaired("broken", "kubelab/web:1.0", "web").generated.value is True


def test_the_pods_of_a_deployment_are_its_own_and_alive() -> None:
    lab = view(
        ("Deployment", deployment()),
        ("ReplicaSet", REPLICAS),
        ("Pod", replicated(name="old", creationTimestamp="2026-11-24T12:00:00Z")),
        ("Pod", replicated(name="new", creationTimestamp="2026-11-24T13:00:00Z")),
        ("Pod", replicated(name="going", deletionTimestamp="2026-11-24T13:00:00Z")),
        ("Pod", pod()),
    )
    assert [one.name for one in lab.repaired("broken", "kubelab/web:1.0", "web").pods] == [
        "new",
        "old",
    ]
