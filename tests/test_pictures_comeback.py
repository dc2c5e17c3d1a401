"""The picture of what comes back after a kill, and what does not."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from typing import Any

import pytest
from fakes import FakeCluster

from kubelab import labs
from kubelab.errors import UsageError
from kubelab.history import Owner, PodRecord, Request, Requests
from kubelab.notebook_watch import subject
from kubelab.pictures import comeback
from kubelab.site import ROOT, Site

SPACE = "{http://www.w3.org/2000/svg}"
LAB = labs.find(ROOT, "00")


def service(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"selector": {"app": name}}}


def pod(
    name: str, app: str, created: float, deleting: float | None = None, *, kept: bool = False
) -> PodRecord:
    return PodRecord(
        uid=name, name=name, created=created, node=None, ip=None, restarts=0, version="1.0",
        deployment=Owner("Deployment", app, f"uid-{app}") if kept else None,
        labels_over_time=((created, {"app": app}),), owners=(), images_over_time=(), ready=(),
        deleting=deleting, gone=None,
    )  # fmt: skip


def answered(at: float, by: str) -> Request:
    return Request(at, at, 1, 0.01, 200, "1.0", by, None, None)


def lost(at: float) -> Request:
    return Request(at, at, 1, 0.01, None, None, None, "refused", "x")


PODS = (
    pod("by-hand", "by-hand", 50, 100),
    pod("kept-a", "kept", 60, 200, kept=True),
    pod("kept-b", "kept", 200.1, kept=True),
)
BARE = comeback.row(
    service("by-hand"),
    PODS,
    Requests(
        "by-hand", 40, (answered(95, "by-hand"), answered(97, "by-hand"), lost(100.2), lost(102))
    ),
    140,
)
KEPT = comeback.row(
    service("kept"),
    PODS,
    Requests("kept", 40, (answered(199, "kept-a"), lost(200.5), answered(201.4, "kept-b"))),
    240,
)
# What the notebook shows: one page stays away, one comes back, and one was not killed yet.
SEEN = [
    comeback.row(
        service("by-hand"),
        PODS,
        Requests(
            "by-hand",
            40,
            (
                *(answered(at, "by-hand") for at in range(90, 100)),
                *(lost(at) for at in range(100, 130)),
            ),
        ),
        140,
    ),
    comeback.row(
        service("kept"),
        PODS,
        Requests(
            "kept",
            40,
            (
                *(answered(at, "kept-a") for at in range(190, 200)),
                lost(200.2),
                *(answered(at + 0.4, "kept-b") for at in range(201, 230)),
            ),
        ),
        240,
    ),
    comeback.row(
        service("new"), (pod("new-a", "new", 60, kept=True),), Requests("new", 40, ()), 240
    ),
]


def test_the_bare_pod_stays_away_and_the_deployments_comes_back() -> None:
    assert BARE.words == "nobody brought it back in 30 s: 2 requests lost"
    assert BARE.maker == "a Pod made by hand"
    assert KEPT.words == "answers again after 1 s, by kept-b"
    assert KEPT.maker == "Deployment kept"
    assert (BARE.over, KEPT.over) == (True, True)


def test_the_last_answers_of_a_killed_pod_are_no_comeback() -> None:
    lines = (answered(99, "by-hand"), lost(100.2), answered(100.3, "by-hand"), lost(100.4))
    seen = comeback.row(service("by-hand"), PODS, Requests("by-hand", 40, lines), 140)
    assert seen.words == "nobody brought it back in 30 s: 2 requests lost"


def test_a_pod_that_was_made_again_by_hand_answers_again() -> None:
    anew = replace(pod("by-hand", "by-hand", 110), uid="another")
    lines = (answered(100.3, "by-hand"), lost(101), lost(111), answered(112, "by-hand"))
    seen = comeback.row(service("by-hand"), (*PODS, anew), Requests("by-hand", 40, lines), 140)
    assert seen.words == "answers again after 12 s, by by-hand"


def test_the_text_and_the_picture_carry_the_same_facts() -> None:
    text = comeback.told([BARE, KEPT])
    lines = [line.strip() for line in text.splitlines()]
    assert "-5 s to -3 s  2 requests answered by by-hand" in lines
    assert "0 s to 2 s  2 requests without an answer" in lines
    assert "1 s to 1 s  1 request answered by kept-b" in lines
    root = ElementTree.fromstring(comeback.svg([BARE, KEPT]))
    assert root.findtext(f"{SPACE}desc") == text
    words = " ".join(one.text or "" for one in root.iter(f"{SPACE}text"))
    assert "0 s: the Pod is killed" in words
    assert "nobody brought it back" in words


def test_without_a_kill_the_row_says_so_and_goes_on() -> None:
    seen = comeback.row(service("kept"), PODS[2:], Requests("kept", 40, ()), 240)
    assert (seen.words, seen.over) == ("no Pod was killed yet", False)
    assert "no requests are on record" in comeback.told([seen])
    ElementTree.fromstring(comeback.svg([seen]))
    nobody = comeback.row(service("else"), PODS, Requests("else", 40, ()), 240)
    assert nobody.maker == "no Pod yet"


def test_old_requests_are_one_line_and_are_cut_to_the_picture() -> None:
    old = Request(80, 103, 230, 0.01, None, None, None, "refused", "x")
    seen = comeback.row(service("by-hand"), PODS, Requests("by-hand", 40, (old,)), 140)
    assert [(one.start, one.end) for one in seen.stretches] == [(-10.0, 3.0)]


def test_several_services_are_watched_as_one_picture() -> None:
    cluster = FakeCluster(Site(), namespace="lab-00")
    for name in LAB.load:
        cluster.put("Service", service(name), "lab-00")

    def recorded(path: str, question: dict[str, Any]) -> dict[str, Any]:
        if path == "pods":
            return {"pods": []}
        return {"since": 40.0, "lines": []}

    cluster.recorder = recorded
    watched = subject(cluster, LAB, "service/by-hand,kept", 100.0)  # type: ignore[arg-type]
    frame = watched.look(200.0)
    assert frame.text.count("no Pod was killed yet") == 2
    assert frame.svg
    assert not frame.over


def test_a_service_without_a_record_of_requests_is_refused() -> None:
    with pytest.raises(UsageError, match="No requests to web are on record"):
        subject(FakeCluster(Site()), LAB, "service/kept,web", 0.0)  # type: ignore[arg-type]
