"""The picture of a Pod's containers: what it shows, and that its text carries the same."""

import xml.etree.ElementTree as ElementTree
from datetime import datetime
from typing import Any

from kubelab import notebook_picture as picture

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
        "      1 s  container server <1> ended with exit code 0",
        "     26 s  kubelet: readiness probe says no (3 times)",
        "     27 s  kubelet: liveness probe says no (2 times)",
        "     28 s  kubelet: container is ended",
        "     30 s  container server <1> runs, restarts 1",
        "     31 s  the Pod is ready",
    ]


def test_the_picture_is_whole_and_carries_the_text() -> None:
    root = ElementTree.fromstring(picture.svg(SEEN))
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("width") == "720"
    assert root.findtext(f"{space}title") == "Pod live-only over 60 s"
    assert root.findtext(f"{space}desc") == picture.told(SEEN)
    assert len(root.findall(f"{space}rect")) == 3
    assert len(root.findall(f"{space}path[@class='mark']")) == 3


def test_everything_lies_inside_the_picture() -> None:
    root = ElementTree.fromstring(picture.svg(SEEN))
    for bar in root.iter("{http://www.w3.org/2000/svg}rect"):
        left, width = float(bar.get("x", "")), float(bar.get("width", ""))
        assert left >= picture.LEFT
        assert left + width <= picture.WIDTH - picture.RIGHT + 1


def test_a_pod_that_has_not_started_is_drawn_without_bars() -> None:
    pod = {"metadata": POD["metadata"], "status": {"phase": "Pending"}}
    seen = picture.history(pod, [], BEGAN)
    assert (seen.bars, seen.marks, seen.end) == ((), (), 1.0)
    ElementTree.fromstring(picture.svg(seen))
