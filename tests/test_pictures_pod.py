"""The picture of a Pod's containers: what it shows, and that its text carries the same."""

import xml.etree.ElementTree as ElementTree
from datetime import datetime
from typing import Any

from kubelab.pictures import drawing
from kubelab.pictures import pod as picture

BEGAN = datetime.fromisoformat("2026-11-01T10:00:00+00:00").timestamp()
POD: dict[str, Any] = {
    "metadata": {"name": "live-only", "creationTimestamp": "2026-11-01T10:00:00Z"},
    "status": {
        "conditions": [
            {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-01T10:00:31Z"}
        ],
        "containerStatuses": [
            {
                "name": "server <1>",
                "restartCount": 1,
                "state": {"running": {"startedAt": "2026-11-01T10:00:30Z"}},
                "lastState": {
                    "terminated": {
                        "exitCode": 0,
                        "startedAt": "2026-11-01T10:00:01Z",
                        "finishedAt": "2026-11-01T10:00:29Z",
                    }
                },
            }
        ],
    },
}
EVENTS: list[dict[str, Any]] = [
    {"reason": "Pulled", "lastTimestamp": "2026-11-01T10:00:01Z"},
    {"reason": "Killing", "count": 1, "lastTimestamp": "2026-11-01T10:00:28Z", "message": "x"},
    {
        "reason": "Unhealthy",
        "count": 2,
        "lastTimestamp": "2026-11-01T10:00:27Z",
        "message": "Liveness probe failed: HTTP probe failed with statuscode: 503",
    },
    {
        "reason": "Unhealthy",
        "eventTime": "2026-11-01T10:00:20.5Z",
        "lastTimestamp": None,
        "series": {"count": 3, "lastObservedTime": "2026-11-01T10:00:26.5Z"},
        "message": "Readiness probe failed: connection refused",
    },
]
SEEN = picture.history(POD, EVENTS, BEGAN + 60)


def test_the_text_tells_runs_readiness_and_the_kubelets_acts_in_order() -> None:
    assert picture.told(SEEN).splitlines() == [
        "      1 s  container server <1> begins",
        "     26 s  kubelet: readiness probe says no (3 times)",
        "     27 s  kubelet: liveness probe says no (2 times)",
        "     28 s  kubelet: container is ended",
        "     29 s  container server <1> ended with exit code 0, after 28 s",
        "     30 s  container server <1> runs, restarts 1",
        "     31 s  the Pod is ready",
    ]


def test_the_picture_is_whole_and_carries_the_text() -> None:
    root = ElementTree.fromstring(picture.svg(SEEN))
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("width") == "720"
    assert root.findtext(f"{space}title") == "Pod live-only over 60 s"
    assert root.findtext(f"{space}desc") == picture.told(SEEN)
    assert len(root.findall(f"{space}g")) == 3
    assert len(root.findall(f"{space}path[@class='mark']")) == 3


def test_everything_lies_inside_the_picture() -> None:
    root = ElementTree.fromstring(picture.svg(SEEN))
    for bar in root.iter("{http://www.w3.org/2000/svg}rect"):
        left, width = float(bar.get("x", "")), float(bar.get("width", ""))
        assert left >= picture.LEFT
        assert left + width <= drawing.WIDTH - picture.RIGHT + 1


def test_a_pod_that_has_not_started_is_drawn_without_bars() -> None:
    pod = {"metadata": POD["metadata"], "status": {"phase": "Pending"}}
    seen = picture.history(pod, [], BEGAN)
    assert (seen.bars, seen.marks, seen.end) == ((), (), 1.0)
    ElementTree.fromstring(picture.svg(seen))


KITCHEN: dict[str, Any] = {
    "metadata": {
        "name": "kitchen",
        "creationTimestamp": "2026-11-01T10:00:00Z",
        "deletionTimestamp": "2026-11-01T10:01:00Z",
        "deletionGracePeriodSeconds": 30,
    },
    "spec": {
        "initContainers": [
            {"name": "writer"},
            {"name": "refresher", "restartPolicy": "Always"},
            {"name": "late"},
        ],
        "containers": [{"name": "server"}],
    },
    "status": {
        "initContainerStatuses": [
            {
                "name": "writer",
                "state": {
                    "terminated": {
                        "exitCode": 0,
                        "startedAt": "2026-11-01T10:00:01Z",
                        "finishedAt": "2026-11-01T10:00:03Z",
                    }
                },
            },
            {"name": "refresher", "state": {"running": {"startedAt": "2026-11-01T10:00:04Z"}}},
        ],
        "containerStatuses": [
            {
                "name": "server",
                "state": {
                    "terminated": {
                        "exitCode": 137,
                        "startedAt": "2026-11-01T10:00:05Z",
                        "finishedAt": "2026-11-01T10:00:40Z",
                    }
                },
            }
        ],
    },
}


def test_lanes_stand_in_the_order_in_which_containers_begin() -> None:
    seen = picture.history(KITCHEN, [], BEGAN + 45)
    assert seen.lanes == ("init writer", "sidecar refresher", "init late", "container server")
    assert picture.told(seen).splitlines() == [
        "      1 s  init writer begins",
        "      3 s  init writer ended with exit code 0, after 2 s",
        "      4 s  sidecar refresher runs",
        "      5 s  container server begins",
        "     30 s  the Pod: is told to end, within 30 s",
        "     40 s  container server ended with exit code 137: killed by SIGKILL, after 35 s",
        "      -    init late has not run",
    ]


def test_what_was_seen_before_is_kept_when_the_status_forgets_it() -> None:
    before = {**KITCHEN, "status": POD["status"] | {"conditions": POD["status"]["conditions"]}}
    unready = {"type": "Ready", "status": "False", "lastTransitionTime": "2026-11-01T10:00:40Z"}
    after = {**KITCHEN, "status": {"conditions": [unready]}}
    seen = picture.history(after, [], BEGAN + 50, [before], gone=BEGAN + 44)
    pod = [(bar.words, bar.start, bar.end) for bar in seen.bars if bar.lane == "the Pod"]
    assert pod == [("is ready", 31, 40), ("is not ready: gets no requests", 40, 44)]
    assert seen.end == 44
    assert "     44 s  the Pod: is gone" in picture.told(seen)
    ElementTree.fromstring(picture.svg(seen))


def test_a_container_that_could_not_be_started_did_not_run_since_1970() -> None:
    ended = {
        "exitCode": 128,
        "reason": "StartError",
        "startedAt": "1970-01-01T00:00:00Z",
        "finishedAt": "2026-11-01T10:00:09Z",
    }
    status = {"containerStatuses": [{"name": "server", "state": {"terminated": ended}}]}
    pod = {"metadata": POD["metadata"], "status": status}
    told = picture.told(picture.history(pod, [], BEGAN + 20))
    assert told == "      9 s  container server could not be started"


def test_the_end_of_a_long_life_fills_the_picture() -> None:
    ending = {**KITCHEN, "metadata": KITCHEN["metadata"] | {"deletionGracePeriodSeconds": 2}}
    ending["metadata"] |= {"deletionTimestamp": "2026-11-01T10:10:02Z"}
    drawn = picture.svg(picture.history(ending, [], BEGAN + 605))
    assert ">9 min 52 s<" in drawn
    assert "sidecar refresher runs" in drawn
    again = picture.svg(picture.history(KITCHEN, [], BEGAN + 45))
    assert ">0 s<" in again
