"""The picture of a rollout: made from records, and its text carries the same facts."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from kubelab import history
from kubelab.history import DeploymentRecord, Owner, PodRecord, Request, Requests, SpecChange
from kubelab.pictures import drawing, rollout_model
from kubelab.pictures import rollout as picture

ZERO = 1_795_525_200.0
SPACE = "{http://www.w3.org/2000/svg}"
DEPLOYMENT = Owner("Deployment", "shop", "u-shop")


def pod(name: str, version: str, created: float, **more: Any) -> PodRecord:
    """A Pod of the Deployment; times in seconds since the change."""
    ready = more.pop("ready", ((created + 2, True),))
    times = {key: ZERO + more.pop(key) for key in ("deleting", "gone") if key in more}
    return PodRecord(
        **{
            "uid": f"u-{name}",
            "name": name,
            "created": ZERO + created,
            "node": "node",
            "ip": None,
            "restarts": 0,
            "version": version,
            "deployment": DEPLOYMENT,
            "deleting": None,
            "gone": None,
            "labels_over_time": (),
            "owners": ((ZERO + created, Owner("ReplicaSet", f"shop-{version}", f"rs-{version}")),),
            "images_over_time": (),
            "ready": tuple((ZERO + at, value) for at, value in ready),
        }
        | times
        | more
    )


def change(at: float, version: str, replicas: int = 2, template: str = "") -> SpecChange:
    return SpecChange(
        ZERO + at, 1, {"web": f"web:{version}"}, version, replicas, False, template or version
    )


def record(*changes: SpecChange, progress: tuple[tuple[float, str], ...] = ()) -> DeploymentRecord:
    over = tuple((ZERO + at, why) for at, why in progress)
    return DeploymentRecord("u-shop", "shop", changes[0].at, None, changes, over)


def live(**status: Any) -> dict[str, Any]:
    """A Deployment of two; `status` replaces what a complete one says."""
    whole = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "observedGeneration": 3}
    return {
        "metadata": {"name": "shop", "generation": 3, "uid": "u-shop"},
        "spec": {"replicas": 2},
        "status": whole | status,
    }


def request(at: float, version: str | None, reason: str | None = None, count: int = 1) -> Request:
    status = None if reason else 200
    return Request(ZERO + at, ZERO + at, count, 0.01, status, version, None, reason, reason)


CHANGED = record(change(-60, "1.0"), change(0, "2.0"), progress=((-50, "NewReplicaSetAvailable"),))
PODS = (
    pod("shop-1.0-long-ago", "1.0", -90, gone=-40),
    pod("shop-1.0-a", "1.0", -60, deleting=6, gone=11),
    pod("shop-1.0-b", "1.0", -60, deleting=9, gone=14),
    pod("shop-2.0-c", "2.0", 1),
    pod("shop-2.0-d", "2.0", 5, ready=((7, True), (8, False), (9, True))),
)
REQUESTS = Requests(
    "shop",
    ZERO - 60,
    (
        request(-30, "1.0"),
        request(1, "1.0", count=20),
        request(7, "2.0", count=30),
        request(7.5, None, "refused", count=2),
        request(12, None, "timeout"),
    ),
)
SEEN = rollout_model.rollout(live(), CHANGED, PODS, REQUESTS, ZERO, ZERO + 20)


def test_the_text_tells_changes_pods_requests_and_the_end() -> None:
    head, *lines = picture.told(SEEN).splitlines()
    assert head.startswith("deployment/shop  0 s is ")
    assert [line.strip() for line in lines] == [
        "0 s  template: 1.0 -> 2.0",
        "1.0  ...-a: there before, ready, told to end at 6 s, gone at 11 s",
        "1.0  ...-b: there before, ready, told to end at 9 s, gone at 14 s",
        "2.0  ...-c: made at 1 s, ready from 3 s on",
        "2.0  ...-d: made at 5 s, ready from 7 s to 8 s, ready from 9 s on",
        "requests  to shop, answered: 20 by 1.0, 30 by 2.0",
        "failed  3: 2 refused, first at 8 s; 1 timeout, first at 12 s",
        "end  the rollout is complete after 9 s: 2 of 2 Pods are new",
    ]
    assert SEEN.over
    assert max(map(len, lines)) <= 80


def test_the_picture_shows_every_pod_failure_and_change_of_the_text() -> None:
    root = ElementTree.fromstring(picture.svg(SEEN))
    assert root.findtext(f"{SPACE}desc") == picture.told(SEEN)
    words = [element.text for element in root.iter(f"{SPACE}text")]
    titles = [element.text or "" for element in root.iter(f"{SPACE}title")]
    for lane in SEEN.lanes:
        assert lane.version in words
        assert any(lane.pod in title for title in titles)
    assert len(root.findall(f".//{SPACE}path[@class='cross']")) == 2
    assert len(root.findall(f".//{SPACE}path[@class='mark']")) == len(SEEN.changes)
    assert "failed: 3" in words
    assert {"20 answered by 1.0", "30 answered by 2.0"} <= set(words)


def test_versions_and_readiness_differ_by_pattern_too() -> None:
    drawn = picture.svg(SEEN)
    number = drawn.split('id="hatch-')[1].split('"')[0]
    assert f"url(#hatch-{number})" in drawn
    assert f"url(#grain-{number})" in drawn
    assert "-ID" not in drawn
    assert f"hatch-{number}" not in picture.svg(
        rollout_model.rollout(live(), CHANGED, PODS, REQUESTS, ZERO, ZERO + 21)
    )


def test_nothing_lies_outside_the_picture() -> None:
    many = [pod(f"shop-2.0-{n:02}", "2.0", n) for n in range(40)]
    seen = rollout_model.rollout(live(), CHANGED, many, REQUESTS, ZERO, ZERO + 60)
    root = ElementTree.fromstring(picture.svg(seen))
    for box in root.iter(f"{SPACE}rect"):
        assert float(box.get("x", "")) >= 0
        assert float(box.get("x", "")) + float(box.get("width", "")) <= drawing.WIDTH
    assert root.get("width") == "720"
    words = [element.text for element in root.iter(f"{SPACE}text")]
    assert "and 16 earlier Pods, told below" in words
    assert picture.told(seen).count("made at") + picture.told(seen).count("there before") == 40


def test_without_a_record_of_requests_none_are_claimed() -> None:
    seen = rollout_model.rollout(live(), CHANGED, PODS, None, ZERO, ZERO + 20)
    assert "requests  none are recorded here" in picture.told(seen)
    assert "failed" not in picture.svg(seen)


@pytest.mark.parametrize(
    ("body", "words", "over"),
    [
        (live(observedGeneration=2), "not seen by its controller", False),
        (live(updatedReplicas=1), "goes on: 1 of 2 Pods are new", False),
        (live(replicas=3), "goes on: 2 of 2 Pods are new", False),
        (
            live(
                updatedReplicas=1,
                conditions=[
                    {
                        "type": "Progressing",
                        "status": "False",
                        "reason": "ProgressDeadlineExceeded",
                    }
                ],
            ),
            "stopped, ProgressDeadlineExceeded: 1 of 2 Pods are new, 2 available",
            True,
        ),
        (live(), "complete", True),
    ],
)
def test_a_rollout_ends_complete_or_with_its_deadline(
    body: dict[str, Any], words: str, over: bool
) -> None:
    state, ended = rollout_model.state_of(body)
    assert words in state
    assert ended is over


def test_a_deployment_without_a_status_goes_on() -> None:
    assert not rollout_model.state_of({"metadata": {"generation": 1}, "spec": {}})[1]
    paused = live(updatedReplicas=1)
    paused["spec"]["paused"] = True
    assert "paused" in rollout_model.state_of(paused)[0]


def test_a_deployment_read_before_the_change_on_record_has_not_ended() -> None:
    newer = record(change(-60, "1.0"), SpecChange(ZERO, 4, {}, "2.0", 2, False, "2.0"))
    assert not rollout_model.rollout(live(), newer, PODS, None, ZERO, ZERO + 20).over


def test_the_end_waits_for_pods_that_are_ending() -> None:
    pods = (*PODS[:2], pod("shop-1.0-b", "1.0", -60, deleting=9), *PODS[3:])
    seen = rollout_model.rollout(live(), CHANGED, pods, None, ZERO, ZERO + 12)
    assert not seen.over
    assert "old Pods are ending" in picture.told(seen)
    assert rollout_model.rollout(live(), CHANGED, pods, None, ZERO, ZERO + 60).over


def test_a_rollout_begins_with_the_first_change_that_no_end_follows() -> None:
    assert rollout_model.began(CHANGED) == ZERO
    overtaken = record(
        change(-90, "1.0"),
        change(0, "2.0"),
        change(5, "3.0"),
        progress=((-80, "NewReplicaSetAvailable"), (1, "ReplicaSetUpdated")),
    )
    assert rollout_model.began(overtaken) == ZERO
    undone = record(
        change(-30, "2.0"),
        change(0, "3.0"),
        change(40, "2.0"),
        progress=((-20, "NewReplicaSetAvailable"), (30, "ProgressDeadlineExceeded")),
    )
    assert rollout_model.began(undone) == ZERO + 40
    scaled = record(change(0, "1.0"), change(9, "1.0", replicas=4))
    assert rollout_model.began(scaled) == ZERO


def test_a_restart_keeps_the_version_and_its_pods_stay_apart() -> None:
    old = pod("shop-a-1", "1.0", -60, owners=((ZERO, Owner("ReplicaSet", "shop-aaaa1", "a")),))
    new = pod("shop-b-1", "1.0", 1, owners=((ZERO, Owner("ReplicaSet", "shop-bbbb2", "b")),))
    restarted = record(change(-60, "1.0"), change(0, "1.0", template="again"))
    seen = rollout_model.rollout(live(), restarted, (old, new), None, ZERO, ZERO + 9)
    assert [lane.version for lane in seen.lanes] == ["1.0 aaaa", "1.0 bbbb"]
    assert [one.words for one in seen.changes] == ["template: 1.0, changed"]
    assert seen.versions == {"1.0": 1}


def test_scaling_is_told_and_a_pod_that_was_never_ready_draws_whole() -> None:
    scaled = record(change(-60, "1.0"), change(0, "1.0", replicas=4))
    never = pod("shop-1.0-z", "1.0", 1, ready=(), deleting=5, gone=6)
    seen = rollout_model.rollout(live(), scaled, (never,), None, ZERO, ZERO + 9)
    assert "replicas: 2 -> 4" in picture.told(seen)
    assert "never ready, told to end at 5 s" in picture.told(seen)
    ElementTree.fromstring(picture.svg(seen))


def test_lines_of_many_requests_are_spread_over_their_time() -> None:
    line = Request(ZERO, ZERO + 10, 50, 0.1, 200, "2.0", None, None, None)
    seen = rollout_model.rollout(
        live(), CHANGED, PODS, Requests("shop", ZERO, (line,)), ZERO, ZERO + 20
    )
    columns = picture.columned(seen)
    assert sum(column.get("2.0", 0) for column in columns) == pytest.approx(50)
    assert max(column.get("2.0", 0) for column in columns) < 4


def test_the_deployment_without_a_record_is_drawn_empty() -> None:
    seen = rollout_model.rollout(live(), None, PODS, None, ZERO, ZERO + 1)
    assert (seen.lanes, seen.changes) == ((), ())
    ElementTree.fromstring(picture.svg(seen))
    assert history.value_at((), ZERO) is None
