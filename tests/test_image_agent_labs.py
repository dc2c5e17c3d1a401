"""The recorder of images/agent: what it keeps of Pods and Deployments in the labs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_api import FakeApi, Object, served
from image_program import IMAGES, Program, agent

sys.path.insert(0, str(IMAGES / "agent"))
from agent import changes, following, lab, labs
from agent.api import Api

NOW = changes.epoch("2026-11-24T12:10:00Z")
LAB = {"labels": {"kubelab.dev/lab": "90"}}
FOLLOWING: list[labs.Labs] = []
READY = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-24T12:00:03Z"}


def owner(kind: str, name: str) -> Object:
    return {"kind": kind, "name": name, "uid": f"{kind}-{name}", "controller": True}


def pod(version: str = "1.0", ready: bool = False, **metadata: Any) -> Object:
    """What a Pod has besides its name."""
    owners = [owner("ReplicaSet", "web-6c9")]
    return {
        "metadata": {"labels": {"app": "web"}, "ownerReferences": owners, **metadata},
        "spec": {"containers": [{"name": "web", "image": f"docker.io/kubelab/web:{version}"}]},
        "status": {"conditions": [READY if ready else {**READY, "status": "False"}]},
    }


def whole(body: Object, version: int = 1) -> Object:
    meta = {"name": "web-1", "uid": "p1", "creationTimestamp": "2026-11-24T12:00:00Z",
            "resourceVersion": str(version)}  # fmt: skip
    return {**body, "metadata": {**meta, **body["metadata"]}}


# One namespace, without a cluster


@pytest.fixture
def one() -> lab.Lab:
    return lab.Lab("ns1", 0.0)


def test_a_pod_is_kept_with_its_histories(one):
    """Labels, owner, images and readiness, each with the time from which it counts."""
    one.take("pod", whole(pod()), False, NOW)
    one.take("pod", whole(pod(ready=True), 2), False, NOW + 1)
    released = pod(ready=True, ownerReferences=[], labels={"app": "out"})
    one.take("pod", whole(released, 3), False, NOW + 2)
    one.take("pod", whole(pod("2.0", ready=True), 4), False, NOW + 3)
    (kept,) = one.pods.values()
    created = changes.epoch("2026-11-24T12:00:00Z")
    assert kept["created"] == created
    assert [value for _, value in kept["labels"]] == [
        {"app": "web"},
        {"app": "out"},
        {"app": "web"},
    ]
    assert kept["labels"][1][0] == NOW + 2
    assert [found and found["name"] for _, found in kept["owners"]] == ["web-6c9", None, "web-6c9"]
    assert kept["version"] == "2.0"
    assert [ready for _, ready in kept["ready"]] == [False, True]


def test_when_its_containers_worked_is_kept_in_the_apis_own_fields(one):
    body = whole(pod())
    ended = {"startedAt": "2026-11-24T12:00:01Z", "finishedAt": "2026-11-24T12:00:04Z"}
    body["spec"]["initContainers"] = [
        {"name": "beside", "image": "kubelab/web:1.0", "restartPolicy": "Always"}
    ]
    states = [{"name": "web", "state": {"terminated": ended}, "image": "kubelab/web:1.0"}]
    body["status"] |= {"phase": "Succeeded", "containerStatuses": states}
    one.take("pod", body, False, NOW)
    one.take("pod", body, True, NOW + 1)
    (kept,) = one.pods.values()
    assert kept["last"] == {
        "metadata": {"name": "web-1", "creationTimestamp": "2026-11-24T12:00:00Z"},
        "spec": {
            "containers": [{"name": "web"}],
            "initContainers": [{"name": "beside", "restartPolicy": "Always"}],
        },
        "status": {
            "phase": "Succeeded",
            "conditions": [{**READY, "status": "False"}],
            "containerStatuses": [{"name": "web", "state": {"terminated": ended}}],
            "initContainerStatuses": [],
        },
    }
    json.dumps(one.saved())


def test_the_version_is_the_servers_and_not_an_init_containers(one):
    """An init container of the same image may stay at an older one."""
    body = pod("2.0")
    body["spec"]["initContainers"] = [{"name": "first", "image": "kubelab/web:1.0"}]
    one.take("pod", whole(body), False, NOW)
    (kept,) = one.pods.values()
    assert kept["version"] == "2.0"


def test_a_change_that_nobody_watched_has_the_objects_own_time(one):
    """The recorder was away; a change that it sees happen has the time at which it saw it."""
    one.take("pod", whole(pod()), False, NOW)
    one.take("pod", whole(pod(ready=True), 2), False, NOW)
    at = changes.epoch("2026-11-24T12:00:03Z")
    (kept,) = one.pods.values()
    assert kept["ready"][-1] == [at, True]
    assert changes.moment("2026-11-24T12:00:03Z", at + 0.4) == at + 0.4
    assert changes.moment(None, NOW) == NOW


def test_the_end_of_a_pod_is_kept(one):
    """When its deletion was seen first, and when it was gone; a late list does not revive it."""
    one.take("pod", whole(pod(ready=True)), False, NOW)
    going = pod(ready=True, deletionTimestamp="2026-11-24T12:10:30Z", deletionGracePeriodSeconds=30)
    one.take("pod", whole(going, 5), False, NOW + 0.2)
    one.take("pod", whole(going, 7), True, NOW + 3)
    one.take("pod", whole(pod(ready=True), 6), False, NOW + 4)
    (kept,) = one.pods.values()
    assert (kept["deleting"], kept["gone"]) == (NOW + 0.2, NOW + 3)
    assert kept["ready"][-1] == [NOW + 3, False]


def test_the_deployment_behind_a_pod_is_known_after_its_replica_set_has_gone(one):
    """Also where the Pod was released before."""
    above = {"metadata": {"name": "web-6c9", "uid": "ReplicaSet-web-6c9",
                          "ownerReferences": [owner("Deployment", "web")]}}  # fmt: skip
    one.take("pod", whole(pod()), False, NOW)
    assert one.told(one.pods["p1"])["deployment"] is None
    one.take("replica_set", whole(above), False, NOW)
    one.take("replica_set", whole(above, 2), True, NOW)
    one.take("pod", whole(pod(ownerReferences=[]), 2), False, NOW)
    assert one.told(one.pods["p1"])["deployment"]["name"] == "web"


def deployment(generation: int, version: str, replicas: int = 3) -> Object:
    containers = [{"name": "web", "image": f"kubelab/web:{version}"}]
    return {
        "metadata": {"name": "web", "uid": "d1", "generation": generation},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}},
        "status": {"conditions": [{"type": "Progressing", "reason": "ReplicaSetUpdated"}]},
    }


def test_a_deployments_spec_is_kept_change_by_change(one):
    """By generation: what its controller reports is no change; scaling keeps the template."""
    for version, body in enumerate((deployment(1, "1.0"), deployment(1, "1.0"),
                                    deployment(2, "1.0", 4), deployment(3, "2.0", 4))):  # fmt: skip
        one.take("deployment", whole(body, version + 1), False, NOW + version)
    (kept,) = one.deployments.values()
    told = [(change["version"], change["replicas"]) for change in kept["changes"]]
    assert told == [("1.0", 3), ("1.0", 4), ("2.0", 4)]
    templates = [change["template"] for change in kept["changes"]]
    assert templates[0] == templates[1] != templates[2]
    assert kept["progress"] == [[NOW, "ReplicaSetUpdated"]]


def test_the_number_of_pods_is_bounded(one, monkeypatch):
    """Those that went first are forgotten first."""
    monkeypatch.setattr(lab, "PODS", 3)
    for number in range(6):
        body = whole(pod(uid=f"p{number}"), 10 + number)
        one.take("pod", body, number in (1, 2), NOW + number)
    assert list(one.pods) == ["p3", "p4", "p5"]


def test_a_history_is_bounded(monkeypatch):
    """The first value stays, and the newest ones."""
    monkeypatch.setattr(changes, "LONGEST", 3)
    history: changes.History = []
    for number in range(9):
        changes.note(history, number, number)
    assert [value for _, value in history] == [0, 7, 8]


def test_a_history_never_goes_back_in_time():
    """An object may say of itself an earlier time than what was seen."""
    history: changes.History = []
    changes.note(history, 5.0, "a")
    changes.note(history, 4.0, "b")
    assert history == [[5.0, "a"], [5.0, "b"]]


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("kubelab/web:2.0", "2.0"),
        ("docker.io/kubelab/web:2.1@sha256:abc", "2.1"),
        ("nginx:1.29", None),
        ("fakekubelab/web:2.0", None),
        ("kubelab/web", None),
    ],
)
def test_the_version_is_the_tag_of_the_courses_web_image(image, version):
    """Of no other image."""
    assert changes.version({"web": image}) == version


def test_a_service_is_known_by_its_first_tcp_port(one):
    """Behind a headless one it is the Pods' own port; one without a port is not asked."""
    tcp = {"protocol": "TCP", "port": 80, "targetPort": 8080}
    spec = {"clusterIP": "10.96.0.5", "ports": [{"protocol": "UDP", "port": 53}, tcp]}
    one.take("service", whole({"metadata": {"name": "web"}, "spec": spec}), False, NOW)
    assert one.services["web"]["port"] == 80
    headless = {**spec, "clusterIP": "None"}
    one.take("service", whole({"metadata": {"name": "web"}, "spec": headless}, 2), False, NOW)
    assert one.services["web"]["port"] == 8080
    outside = {"type": "ExternalName", "externalName": "example.com"}
    one.take("service", whole({"metadata": {"name": "web"}, "spec": outside}, 3), False, NOW)
    assert one.services == {}


# With an API server


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    monkeypatch.setattr(following, "PAUSE", 0.02)
    return FakeApi()


@pytest.fixture
def url(api: FakeApi) -> Iterator[str]:
    with served(api) as address:
        yield address
        while FOLLOWING:
            for follower in FOLLOWING.pop().followers:
                follower.stop()


def until(look: Callable[[], Any]) -> Any:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + 15
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)
    return found


def following_labs(url: str, state: Path) -> labs.Labs:
    found = labs.Labs(state)
    FOLLOWING.append(found)
    found.follow(Api(url))
    until(lambda: found.complete)
    return found


def names(found: labs.Labs, namespace: str = "lab-90") -> list[str]:
    return [one["name"] for one in found.pods(namespace)["pods"]]


def test_only_the_labs_are_recorded(api, url, tmp_path):
    """Namespaces with the label; what is in others is nobody's business."""
    api.put("Namespace", "lab-90", metadata=LAB)
    api.put("Namespace", "default")
    api.put("Pod", "web", **pod())
    api.put("Pod", "web", "default", **pod())
    found = following_labs(url, tmp_path)
    assert names(found) == ["web"]
    assert found.pods("default") == {"since": None, "pods": []}
    assert found.counts() == {"namespaces": 1, "pods": 1}


def test_what_was_made_before_its_namespace_was_known_is_there(api, url, tmp_path):
    """The watches are independent of each other, so a Pod may be told of first."""
    found = following_labs(url, tmp_path)
    api.put("Pod", "early", **pod())
    api.put("Namespace", "lab-90", metadata=LAB)
    until(lambda: names(found) == ["early"])


def test_changes_are_followed(api, url, tmp_path):
    """Made, changed, deleted."""
    api.put("Namespace", "lab-90", metadata=LAB)
    found = following_labs(url, tmp_path)
    body = api.put("Pod", "web", **pod())
    until(lambda: names(found) == ["web"])
    api.put("Pod", "web", **pod(ready=True))
    until(lambda: found.pods("lab-90")["pods"][0]["ready"][-1][1])
    api.delete("Pod", body)
    until(lambda: found.pods("lab-90")["pods"][0]["gone"])


def test_a_watch_that_ends_goes_on_where_it_was(api, url, tmp_path):
    """Without a new list."""
    api.put("Namespace", "lab-90", metadata=LAB)
    found = following_labs(url, tmp_path)
    api.put("Pod", "first", **pod())
    until(lambda: names(found) == ["first"])
    api.asked.clear()
    api.cut()
    api.put("Pod", "second", **pod())
    until(lambda: names(found) == ["first", "second"])
    assert not [path for path in api.asked if "sendInitialEvents" in path]


@pytest.mark.parametrize("code", [410, 500])
def test_a_watch_that_tells_nothing_is_not_asked_for_without_end(api, url, monkeypatch, code):
    """What the API server has no answer to would be asked thousands of times a second."""
    monkeypatch.setattr(following, "PAUSE", 10.0)
    api.error = code
    one = following.Follower(Api(url), "/api/v1/pods", lambda *_: None, lambda _: None)
    one.start()
    until(lambda: api.asked)
    one.synced.wait(0.3)
    one.stop()
    assert len(api.asked) == 1
    assert (one.error == "/api/v1/pods: HTTP 500 because") == (code == 500)


def test_a_watch_that_fell_behind_lists_again(api, url, tmp_path):
    """410: what is not in the list any more is gone."""
    api.put("Namespace", "lab-90", metadata=LAB)
    found = following_labs(url, tmp_path)
    body = api.put("Pod", "first", **pod())
    until(lambda: names(found) == ["first"])
    api.refuse = True
    api.cut()
    api.delete("Pod", body)
    api.put("Pod", "second", **pod())
    api.oldest = api.version
    api.refuse = False
    until(lambda: names(found) == ["first", "second"])
    until(lambda: found.pods("lab-90")["pods"][0]["gone"])


def test_an_api_server_that_is_away_is_told_and_waited_for(api, url, tmp_path):
    """What was recorded is answered meanwhile."""
    api.put("Namespace", "lab-90", metadata=LAB)
    api.put("Pod", "web", **pod())
    found = following_labs(url, tmp_path)
    assert found.error is None
    api.refuse = True
    api.cut()
    assert "HTTP 503" in until(lambda: found.error)
    assert names(found) == ["web"]
    api.refuse = False
    api.put("Pod", "new", **pod())
    until(lambda: names(found) == ["new", "web"] or names(found) == ["web", "new"])
    until(lambda: found.error is None)


def test_a_deleted_namespace_takes_its_record_along(api, url, tmp_path):
    """From memory and disk; one of the same name begins anew."""
    space = api.put("Namespace", "lab-90", metadata=LAB)
    api.put("Pod", "web", **pod())
    found = following_labs(url, tmp_path)
    found.add("lab-90", "web", [1.0, 1.0, 1, 0.1, 200, "1.0", "web", None, None])
    found.flush()
    assert (tmp_path / "labs" / "lab-90" / "requests-web.jsonl").is_file()
    api.delete("Namespace", space)
    until(lambda: found.pods("lab-90")["since"] is None)
    assert not (tmp_path / "labs" / "lab-90").exists()


def test_the_record_outlives_a_restart(api, url, tmp_path):
    """Pods that have gone, histories, requests; and Pods that went meanwhile are gone."""
    api.put("Namespace", "lab-90", metadata=LAB)
    body = api.put("Pod", "web", **pod())
    found = following_labs(url, tmp_path)
    found.add("lab-90", "web", [1.0, 1.0, 1, 0.1, 200, "1.0", "web", None, None])
    found.flush()
    api.delete("Pod", body)
    again = following_labs(url, tmp_path)
    (kept,) = again.pods("lab-90")["pods"]
    assert kept["gone"]
    assert again.pods("lab-90")["since"] == found.pods("lab-90")["since"]
    answer = json.loads(again.requests("lab-90", "web", 0, 10))
    assert answer["lines"] == [[1.0, 1.0, 1, 0.1, 200, "1.0", "web", None, None]]
    assert answer["since"]


def test_a_namespace_that_was_made_anew_meanwhile_has_no_old_record(api, url, tmp_path):
    """Its uid is another."""
    space = api.put("Namespace", "lab-90", metadata=LAB)
    api.put("Pod", "web", **pod())
    following_labs(url, tmp_path).flush()
    api.delete("Namespace", space)
    api.objects["pods"].clear()
    api.put("Namespace", "lab-90", uid="another", metadata=LAB)
    assert names(following_labs(url, tmp_path)) == []


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"uid": "x"}'])
def test_a_record_that_was_cut_off_begins_anew(tmp_path, damage):
    """Nothing falls over it."""
    folder = tmp_path / "labs" / "lab-90"
    folder.mkdir(parents=True)
    (folder / "objects.json").write_text(damage)
    assert labs.Labs(tmp_path).pods("lab-90")["since"] is None


def test_forgetting_begins_anew_from_what_there_is(api, url, tmp_path):
    """Pods that are there stay, without their past; the requests go."""
    api.put("Namespace", "lab-90", metadata=LAB)
    body = api.put("Pod", "gone", **pod())
    api.put("Pod", "web", **pod())
    found = following_labs(url, tmp_path)
    api.put("Pod", "web", **pod(ready=True))
    api.delete("Pod", body)
    until(lambda: any(one["gone"] for one in found.pods("lab-90")["pods"]))
    until(lambda: any(len(one["ready"]) > 1 for one in found.pods("lab-90")["pods"]))
    found.add("lab-90", "web", [1.0, 1.0, 1, 0.1, 200, "1.0", "web", None, None])
    found.flush()
    assert found.forget("lab-90")
    assert not found.forget("lab-91")
    (kept,) = found.pods("lab-90")["pods"]
    assert (kept["name"], [ready for _, ready in kept["ready"]]) == ("web", [True])
    assert json.loads(found.requests("lab-90", "web", 0, 10)) == {"since": None, "lines": []}


def test_the_services_to_ask_stand_in_the_namespaces_annotation(api, url, tmp_path):
    """Those that are there; a change of the annotation counts at once."""
    ports = {"clusterIP": "10.96.0.5", "ports": [{"protocol": "TCP", "port": 80}]}
    api.put("Namespace", "lab-90", metadata={**LAB, "annotations": {labs.LOAD: "web, api,web"}})
    found = following_labs(url, tmp_path)
    assert found.targets() == []
    body = api.put("Service", "web", spec=ports)
    until(lambda: [name for _, name, _ in found.targets()] == ["web"])
    api.put("Namespace", "lab-90", metadata=LAB)
    until(lambda: found.targets() == [])
    api.delete("Service", body)


# The program


def test_the_program_answers_for_a_lab(api, url, tmp_path):
    """/pods, /deployments, /requests and POST /forget; health tells of the cluster too."""
    api.put("Namespace", "lab-90", metadata=LAB)
    api.put("Pod", "web", **pod())
    api.put("Deployment", "web", **deployment(1, "1.0"))
    log = tmp_path / "audit.log"
    log.touch()
    env = {"AUDIT_LOG": str(log), "STATE": str(tmp_path / "state"), "API": url}
    with agent("recorder", env) as program:
        until(lambda: program.ask("/healthz").status == 200)
        health = program.ask("/healthz").json
        assert (health["namespaces"], health["pods"], health["error"]) == (1, 1, None)
        assert health["load"] == {"services": 0, "asked": 0, "left_out": [], "every": 0.1}
        assert told(program, "/pods?namespace=lab-90")["pods"][0]["name"] == "web"
        changed = told(program, "/deployments?namespace=lab-90")["deployments"][0]["changes"]
        assert changed[0]["version"] == "1.0"
        asked = "/requests?namespace=lab-90&service=web"
        assert told(program, asked) == {"since": None, "lines": []}
        assert program.ask("/pods").status == 400
        assert program.ask("/forget?namespace=lab-90").status == 404
        answer = program.ask("/forget", "POST", {"namespace": "lab-90"})
        assert (answer.status, answer.json) == (200, {"forgotten": True})


def test_without_the_cluster_there_is_no_half_answer(tmp_path):
    """503 with a sentence until everything was read once."""
    env = {"AUDIT_LOG": str(tmp_path / "none"), "STATE": str(tmp_path), "API": "http://127.0.0.1:9"}
    with agent("recorder", env) as program:
        answer = program.ask("/pods?namespace=lab-90")
        assert answer.status == 503
        assert answer.json["error"]
        assert program.ask("/healthz").status == 503


def told(program: Program, path: str) -> Any:
    answer = program.ask(path)
    assert answer.status == 200, answer.text
    return answer.json
