"""`watch`: returns at once, draws until the end, and never raises at the learner."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import runs
from fakes import FakeCluster

from kubelab import history, labs, notebook_watch
from kubelab import notebook_show as view
from kubelab.errors import EnvironmentFault, UsageError
from kubelab.history import DeploymentRecord, Requests, SpecChange
from kubelab.notebook_watch import Frame
from kubelab.site import ROOT, Site


class Place:
    """A place that keeps what was drawn."""

    in_notebook = True

    def __init__(self) -> None:
        self.drawn: list[tuple[str, str, bool]] = []

    def show(self, text: str, markup: str = "", *, last: bool = False) -> None:
        self.drawn.append((text, markup, last))


class Frames:
    """A subject that shows one frame after another; an exception is raised."""

    def __init__(self, *frames: Frame | Exception) -> None:
        self.frames = list(frames)
        self.closed = 0

    def close(self) -> None:
        self.closed += 1

    def look(self, now: float) -> Frame:
        frame = self.frames.pop(0) if len(self.frames) > 1 else self.frames[0]
        if isinstance(frame, Exception):
            raise frame
        return frame


def watched(connect: Callable[[], Any], longest: float = 60.0) -> Place:
    """What a watch has drawn in the end."""
    place = Place()
    watcher = notebook_watch.Watcher(connect, place, "pod/web", longest, every=0.001)
    watcher.run()
    return place


END = Frame("over", "<svg/>", over=True)


def test_it_draws_until_the_end_and_says_that_it_was_the_last() -> None:
    place = watched(lambda: Frames(Frame("first", "<svg/>"), END))
    assert [last for _, _, last in place.drawn] == [False, True]
    assert place.drawn[0][0].startswith("first\n")
    assert place.drawn[1][0] == "over\n  this was the last drawing."
    assert "<details>" in place.drawn[1][1]


@pytest.mark.parametrize("last", [END, UsageError("no")], ids=["over", "refused"])
def test_what_is_watched_is_closed_at_the_end(last: Any) -> None:
    frames = Frames(Frame("first", "<svg/>"), last)
    watched(lambda: frames)
    assert frames.closed == 1


def test_after_the_longest_time_it_ends_without_an_end() -> None:
    place = watched(lambda: Frames(Frame("on and on", "<svg/>")), longest=0.0)
    ((text, _, last),) = place.drawn
    assert last
    assert "the last drawing" in text


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (EnvironmentFault("The API server is away."), "The API server is away. Looking again."),
        (KeyError("x"), "A fault of the course: KeyError: 'x'"),
    ],
)
def test_trouble_is_told_and_looked_past(trouble: Exception, words: str) -> None:
    place = watched(lambda: Frames(Frame("first", "<svg/>"), trouble, END))
    assert words in place.drawn[1][0]
    assert place.drawn[1][0].startswith("first\n")
    assert place.drawn[-1][0].startswith("over\n")


def test_a_cluster_that_is_away_at_first_is_asked_again() -> None:
    answers: Iterator[Any] = iter([EnvironmentFault("Away."), Frames(END)])

    def connect() -> Any:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert watched(connect).drawn[-1][0].startswith("over\n")


def test_what_can_not_be_watched_is_said_once() -> None:
    def connect() -> Any:
        raise UsageError("`watch` takes deployment/NAME.")

    assert watched(connect).drawn == [("`watch` takes deployment/NAME.", "", True)]


def test_it_returns_at_once_and_a_second_one_ends_the_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    went = threading.Event()

    class Slow(Frames):
        def look(self, now: float) -> Frame:
            went.wait(10)
            return super().look(now)

    first = notebook_watch.start(lambda: Slow(Frame("first", "")), "pod/web")
    second = notebook_watch.start(lambda: Frames(END), "pod/web")
    assert first.is_alive()
    went.set()
    first.join(10)
    second.join(10)
    assert not first.is_alive()
    out = capsys.readouterr().out
    assert "a later cell draws it now" in out
    assert "over" in out


def test_a_terminal_gets_each_line_once_and_the_end_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = view.Living("looking ...")
    place.show("one\ntwo")
    place.show("one\nthree")
    place.show("one\nfour", last=True)
    assert capsys.readouterr().out.split() == [
        "looking",
        "...",
        "one",
        "two",
        "three",
        "one",
        "four",
    ]


# Subjects


@pytest.fixture
def lab() -> labs.Lab:
    return dataclasses.replace(labs.find(ROOT, "02"), load=("shop",))


@pytest.fixture
def cluster(tmp_path: Path) -> FakeCluster:
    return FakeCluster(Site(root=tmp_path), namespace="lab-02")


def subject(cluster: FakeCluster, lab: labs.Lab, what: str, called: float = 1000.0) -> Any:
    return notebook_watch.subject(cluster, lab, what, called)


@pytest.mark.parametrize("what", ["web", "node/x", "deployment/", ""])
def test_only_four_kinds_are_watched(cluster: FakeCluster, lab: labs.Lab, what: str) -> None:
    with pytest.raises(UsageError, match="deployment/NAME, pod/NAME, service/NAME or job/NAME"):
        subject(cluster, lab, what)


@pytest.mark.parametrize(
    "what", ["deployment/web", "deploy/web", "pod/web", "pods/web", "svc/web", "service/web"]
)
def test_nothing_there_yet_is_a_sentence(
    cluster: FakeCluster, lab: labs.Lab, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "deployments", lambda *_: ())
    frame = subject(cluster, lab, what).look(1000.0)
    assert "web is not there yet." in frame.text
    assert not frame.over


def test_a_pod_is_drawn_until_it_is_gone(cluster: FakeCluster, lab: labs.Lab) -> None:
    body = {
        "metadata": {"name": "web", "uid": "a", "creationTimestamp": "2026-11-01T10:00:00Z"},
        "spec": {"containers": [{"name": "server"}]},
        "status": {
            "containerStatuses": [
                {"name": "server", "state": {"running": {"startedAt": "2026-11-01T10:00:01Z"}}}
            ]
        },
    }
    cluster.put("Pod", body, "lab-02")
    watched = subject(cluster, lab, "pod/web")
    now = 1_793_527_210.0
    assert "container server runs" in watched.look(now).text
    cluster.stored.pop(("Pod", "lab-02", "web"))
    frame = watched.look(now + 5)
    assert frame.over
    assert "the Pod: is gone" in frame.text


def test_the_watch_of_a_pod_ends_with_its_picture(cluster: FakeCluster, lab: labs.Lab) -> None:
    """Else its thread, and the watch, would go on for minutes after the cell."""
    before = set(threading.enumerate())
    pod = subject(cluster, lab, "pod/web")
    threads = set(threading.enumerate()) - before
    pod.close()
    for one in threads:
        one.join(5)
        assert not one.is_alive()


def test_a_pod_of_the_same_name_is_another_pod(cluster: FakeCluster, lab: labs.Lab) -> None:
    body = {"metadata": {"name": "web", "uid": "a", "creationTimestamp": "2026-11-01T10:00:00Z"}}
    cluster.put("Pod", body, "lab-02")
    watched = subject(cluster, lab, "pod/web")
    watched.look(1_793_527_210.0)
    cluster.put("Pod", {"metadata": body["metadata"] | {"uid": "b"}}, "lab-02")
    assert watched.look(1_793_527_212.0).over


def change(at: float, template: str) -> SpecChange:
    return SpecChange(at, 1, {"web": f"web:{template}"}, template, 1, False, template)


@pytest.fixture
def recorded(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Any]]:
    """Puts a complete Deployment, and lets the recorder answer with these changes."""
    body: dict[str, Any] = {
        "metadata": {"name": "shop", "uid": "u", "generation": 1},
        "spec": {"replicas": 1, "template": {"metadata": {"labels": {"app": "shop"}}}},
        "status": {
            "replicas": 1,
            "updatedReplicas": 1,
            "availableReplicas": 1,
            "observedGeneration": 1,
        },
    }
    selector = {"metadata": {"name": "shop"}, "spec": {"selector": {"app": "shop"}}}
    cluster.put("Service", selector, "lab-02")
    monkeypatch.setattr(history, "pods", lambda *_: ())
    monkeypatch.setattr(history, "requests", lambda *_: Requests("shop", 0.0, ()))

    def put(*changes: SpecChange, ended: tuple[float, ...] = (), **status: Any) -> dict[str, Any]:
        progress = tuple((at, "NewReplicaSetAvailable") for at in ended)
        one = DeploymentRecord("u", "shop", changes[0].at, None, changes, progress)
        monkeypatch.setattr(history, "deployments", lambda *_: (one,))
        body["status"] |= status
        return cluster.put("Deployment", body, "lab-02")

    return put


def test_an_update_after_the_call_is_drawn_to_its_end(
    cluster: FakeCluster, lab: labs.Lab, recorded: Callable[..., Any]
) -> None:
    recorded(change(100, "1.0"), ended=(105,))
    watched = subject(cluster, lab, "deployment/shop")
    frame = watched.look(1001.0)
    assert not frame.over
    assert "waits for a change" in frame.text
    assert "requests  to shop" in frame.text
    recorded(change(100, "1.0"), change(1002, "2.0"), ended=(105,), updatedReplicas=0)
    frame = watched.look(1003.0)
    assert not frame.over
    assert "template: 1.0 -> 2.0" in frame.text
    recorded(change(100, "1.0"), change(1002, "2.0"), ended=(105,), updatedReplicas=1)
    assert watched.look(1009.0).over


def test_an_update_that_goes_on_already_is_drawn_from_its_beginning(
    cluster: FakeCluster, lab: labs.Lab, recorded: Callable[..., Any]
) -> None:
    recorded(change(100, "1.0"), change(980, "2.0"), ended=(105,), updatedReplicas=0)
    watched = subject(cluster, lab, "deployment/shop")
    frame = watched.look(1001.0)
    assert "0 s  template: 1.0 -> 2.0" in frame.text
    recorded(change(100, "1.0"), change(980, "2.0"), ended=(105,), updatedReplicas=1)
    assert watched.look(1005.0).over


def test_an_update_that_ended_a_moment_ago_is_shown_and_the_next_one_awaited(
    cluster: FakeCluster, lab: labs.Lab, recorded: Callable[..., Any]
) -> None:
    recorded(change(100, "1.0"), change(940, "2.0"), ended=(105, 950))
    frame = subject(cluster, lab, "deployment/shop").look(1001.0)
    assert "0 s  template: 1.0 -> 2.0" in frame.text
    assert not frame.over
    recorded(change(100, "1.0"), change(340, "2.0"), ended=(105, 350))
    assert "template:" not in subject(cluster, lab, "deployment/shop").look(1001.0).text


def test_a_service_is_drawn_with_its_addresses(cluster: FakeCluster, lab: labs.Lab) -> None:
    cluster.put("Service", {"metadata": {"name": "web"}}, "lab-02")
    labels = {"kubernetes.io/service-name": "web"}
    slices = {
        "metadata": {"name": "web-x", "labels": labels},
        "endpoints": [{"addresses": ["10.1.1.1"], "targetRef": {"kind": "Pod", "name": "web-1"}}],
    }
    cluster.put("EndpointSlice", slices, "lab-02")
    frame = subject(cluster, lab, "service/web").look(1003.0)
    assert "web-1: ready from 3 s to 3 s" in frame.text
    assert not frame.over
    assert "requests: none are recorded here" in frame.text


def test_a_job_is_drawn_until_its_end_with_pods_that_are_gone(
    cluster: FakeCluster, lab: labs.Lab
) -> None:
    watched = subject(cluster, lab, "jobs/pi")
    assert watched.look(runs.NOON).text == "job/pi is not there yet."
    cluster.put("Job", runs.job(), "lab-02")
    pods = runs.two_rounds()
    for one in pods:
        one["metadata"]["labels"] = {"batch.kubernetes.io/job-name": "pi"}
        cluster.put("Pod", one, "lab-02")
    frame = watched.look(runs.NOON + 20)
    assert "job/pi: running" in frame.text
    assert not frame.over
    cluster.delete("Pod", "pi-0", "lab-02")
    cluster.put("Job", runs.job(ended="Complete", status={"succeeded": 6}), "lab-02")
    frame = watched.look(runs.NOON + 21)
    assert "pi-0: from 1 s to 6 s, exit 0" in frame.text
    assert frame.over
    # One of this name that was made anew is another Job.
    again = runs.job()
    again["metadata"]["uid"] = "another"
    cluster.put("Job", again, "lab-02")
    assert "no Pod was made" in watched.look(runs.NOON + 22).text
