"""One list a kind, then a watch a kind."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from fakes import END, FakeCluster, FakeStream, pod, written

from kubelab import snapshot as module
from kubelab.api import Expired
from kubelab.errors import NoCluster
from kubelab.site import Site
from kubelab.snapshot import COPY_LABEL, Snapshot

NAMESPACE = "lab-90"


@pytest.fixture
def cluster() -> FakeCluster:
    fake = FakeCluster(Site())
    fake.put("Pod", pod(), NAMESPACE)
    return fake


@pytest.fixture
def snapshot(cluster: FakeCluster) -> Iterator[Snapshot]:
    found = Snapshot(cluster, NAMESPACE)
    yield found
    found.close()


def later(seconds: float, act: object) -> threading.Timer:
    timer = threading.Timer(seconds, act)
    timer.start()
    return timer


def test_a_kind_is_listed_once(cluster: FakeCluster, snapshot: Snapshot) -> None:
    for _ in range(3):
        assert list(snapshot.kind("Pod")) == ["web"]
    snapshot.refresh()
    assert snapshot.get("Pod", "web") is not None
    assert cluster.calls.count("list Pod") == 1


def test_an_old_list_is_not_believed(
    cluster: FakeCluster, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH", 0.0)
    snapshot.kind("Pod")
    snapshot.refresh()
    cluster.delete("Pod", "web", NAMESPACE)
    assert snapshot.get("Pod", "web") is None


def test_the_courses_own_copies_are_not_seen(cluster: FakeCluster, snapshot: Snapshot) -> None:
    copy = {"metadata": {"name": "web-copy", "labels": {COPY_LABEL: "web"}}}
    cluster.create("Pod", copy, NAMESPACE)
    assert list(snapshot.kind("Pod")) == ["web"]


def test_the_label_of_a_copy_hides_nothing_that_somebody_else_made(
    cluster: FakeCluster, snapshot: Snapshot
) -> None:
    other = {"metadata": {"name": "hidden", "labels": {COPY_LABEL: "web"}}}
    cluster.put("Pod", written(other, "kubectl-label"), NAMESPACE)
    assert sorted(snapshot.kind("Pod")) == ["hidden", "web"]


def test_a_change_ends_the_waiting_and_is_seen(cluster: FakeCluster, snapshot: Snapshot) -> None:
    snapshot.refresh()
    assert snapshot.kind("Pod")
    later(0.1, lambda: cluster.put("Pod", {"metadata": {"name": "web2"}}, NAMESPACE))
    began = time.monotonic()
    assert snapshot.wait(60.0)
    assert time.monotonic() - began < 30.0
    assert sorted(snapshot.kind("Pod")) == ["web", "web2"]


def test_no_change_ends_the_waiting_at_its_time(snapshot: Snapshot) -> None:
    snapshot.refresh()
    snapshot.kind("Pod")
    began = time.monotonic()
    assert not snapshot.wait(0.2)
    assert time.monotonic() - began > 0.15


@pytest.mark.parametrize(
    "fault",
    [Expired("too old resource version"), NoCluster("The API server does not answer.")],
    ids=["fell-behind", "broke-once"],
)
def test_a_watch_that_ends_lists_again(
    cluster: FakeCluster,
    snapshot: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.0)
    snapshot.refresh()
    snapshot.kind("Pod")
    assert not snapshot.wait(0.1)
    (first,) = cluster.streams["Pod"]
    cluster.streams["Pod"] = []
    cluster.delete("Pod", "web", NAMESPACE)
    first.events.put(fault)
    assert snapshot.wait(5.0)
    assert snapshot.kind("Pod") == {}


@pytest.mark.parametrize("last", [Expired("too old"), None], ids=["fell-behind", "ended"])
def test_a_watch_that_tells_nothing_is_not_asked_for_without_end(
    cluster: FakeCluster,
    snapshot: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
    last: Exception | None,
) -> None:
    monkeypatch.setattr(module, "PAUSE", 10.0)

    def refused(*_: object, **__: object) -> FakeStream:
        cluster.calls.append("watch")
        stream = FakeStream([])
        stream.events.put(last)
        return stream

    cluster.watch = refused
    snapshot.kind("Pod")
    assert not snapshot.wait(0.3)
    assert cluster.calls.count("watch") == 1


def test_a_broken_watch_is_told_once_to_who_waits(
    cluster: FakeCluster, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    snapshot.refresh()
    snapshot.kind("Pod")
    assert not snapshot.wait(0.1)
    cluster.streams["Pod"][0].events.put(NoCluster("The API server does not answer."))
    with pytest.raises(NoCluster):
        snapshot.wait(5.0)
    # Who waits again has it watched anew.
    snapshot.refresh()
    cluster.delete("Pod", "web", NAMESPACE)
    assert snapshot.wait(5.0)
    assert snapshot.kind("Pod") == {}


def test_a_fault_of_before_does_not_spoil_a_new_look(snapshot: Snapshot) -> None:
    """Each kind's watch breaks where the API server goes, and one of the faults is told."""
    snapshot.kind("Pod")
    snapshot._fault = NoCluster("The API server does not answer.")
    snapshot.refresh()
    assert not snapshot.wait(0.1)


def test_what_a_late_watch_has_not_told_is_read_again(
    cluster: FakeCluster, snapshot: Snapshot
) -> None:
    snapshot.refresh()
    snapshot.kind("Pod")
    assert not snapshot.wait(0.1)
    cluster.streams["Pod"] = []
    cluster.delete("Pod", "web", NAMESPACE)
    cluster.put("Pod", {"metadata": {"name": "web2"}}, NAMESPACE)
    assert snapshot.overtaken()
    assert list(snapshot.kind("Pod")) == ["web2"]


def test_what_is_there_when_a_watch_begins_is_taken_in_at_once(
    cluster: FakeCluster, snapshot: Snapshot
) -> None:
    """Else what is new would stand beside what is gone, as four Pods of three at once."""
    snapshot.refresh()
    snapshot.kind("Pod")
    cluster.delete("Pod", "web", NAMESPACE)
    several = [("ADDED", {"metadata": {"name": name}}) for name in ("a", "b")]
    stream = FakeStream(several)
    cluster.watch = lambda *_, **__: stream
    assert not snapshot.wait(0.2)
    assert list(snapshot.kind("Pod")) == ["web"]
    stream.events.put(("BOOKMARK", END))
    assert snapshot.wait(5.0)
    assert sorted(snapshot.kind("Pod")) == ["a", "b"]


def test_what_nobody_watches_is_read_again_to_see_what_has_changed(
    cluster: FakeCluster, snapshot: Snapshot
) -> None:
    snapshot.refresh()
    snapshot.kind("Pod")
    assert not snapshot.overtaken()
    cluster.delete("Pod", "web", NAMESPACE)
    assert snapshot.overtaken()
    snapshot.refresh()
    assert snapshot.kind("Pod") == {}
    assert not snapshot.overtaken()


def test_a_watch_that_is_being_opened_ends_with_the_rest(
    cluster: FakeCluster, snapshot: Snapshot
) -> None:
    """Else its thread would begin watch after watch for as long as the process lives."""
    opening, opened = threading.Event(), threading.Event()
    ended = threading.Event()
    stream = FakeStream([])
    stream.response.close = ended.set

    def slow(*_: object, **__: object) -> FakeStream:
        cluster.calls.append("watch")
        opening.set()
        opened.wait(10)
        return stream

    cluster.watch = slow
    snapshot.kind("Pod")
    before = set(threading.enumerate())
    assert not snapshot.wait(0.0)
    (thread,) = set(threading.enumerate()) - before
    assert opening.wait(10)
    snapshot.close()
    opened.set()
    assert ended.wait(10)
    thread.join(10)
    assert not thread.is_alive()
    assert cluster.calls.count("watch") == 1


def test_what_is_closed_is_watched_no_more(cluster: FakeCluster, snapshot: Snapshot) -> None:
    """A check that was given up may wait still."""
    snapshot.kind("Pod")
    snapshot.close()
    assert not snapshot.wait(0.0)
    assert cluster.streams == {}
