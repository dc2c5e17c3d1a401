"""`./lab check --watch`: looks again when something changed, and goes on to the next task."""

from __future__ import annotations

import contextlib
import os
import pty
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import COURSE, FakeCluster, TinySite, pod

from kubelab import cli, gradebook, labs, plugin, report, watching
from kubelab.checking import LabView
from kubelab.commands import check
from kubelab.errors import NoCluster, UsageError
from kubelab.report import Record
from kubelab.site import Site
from kubelab.snapshot import Snapshot
from kubelab.watching import Keys, Session

NAMESPACE = "lab-90"
LAB = labs.find(COURSE, "90")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = TinySite(root=COURSE)
    object.__setattr__(found, "folder", tmp_path / "work")
    return found


@pytest.fixture
def cluster(site: Site, monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    fake = FakeCluster(site)
    monkeypatch.setattr(plugin, "connect", lambda _: fake)
    return fake


class Stopped(Exception):
    """The test is over."""


class Screen:
    """A session on a thread of its own, and what it says."""

    def __init__(self, site: Site, cluster: Any, look: Callable[..., Record] | None = None) -> None:
        self.said: list[str] = []
        self.looks = 0
        self.stopped = False
        # Collected here: pytest runs in one thread alone.
        self.checks = gradebook.criteria(site, LAB)
        self.look = look or self.checked
        self.site = site
        self.keys = Keys(live=True)
        self.connect = cluster if callable(cluster) else lambda _: cluster
        self.session = Session(site, self.counted, self.keys, self.say, self.connect)
        self.news = threading.Condition()
        self.thread = threading.Thread(target=self.follow, daemon=True)

    def checked(self, task: labs.Task) -> Record:
        view: Any
        try:
            cluster = self.connect(self.site)
            view = LabView(cluster, LAB, task, Snapshot(cluster, NAMESPACE))
        except NoCluster as error:
            view = error
        check = self.checks[task.id]
        return plugin.result(self.site, task, view, lambda: check(view), started=True, timeout=0)

    def counted(self, task: labs.Task) -> Record:
        if self.stopped:
            raise Stopped
        self.looks += 1
        return self.look(task)

    def say(self, words: str) -> None:
        with self.news:
            self.said.append(words)
            self.news.notify_all()

    def follow(self) -> None:
        with contextlib.suppress(Stopped):
            for task in watching.tasks(self.site, ["90.1", "90.2"]):
                self.session.follow(task, NAMESPACE)
            self.say("Finished.")

    def stop(self) -> None:
        """End the thread: it would look with whatever cluster the next test has."""
        self.stopped = True
        self.keys.press("\n")
        self.thread.join(20)
        assert not self.thread.is_alive()
        self.session.end()

    def until(self, words: str) -> str:
        """Wait until something was said."""
        with self.news:
            assert self.news.wait_for(lambda: any(words in one for one in self.said), 20), self.said
        return "\n".join(self.said)


@pytest.fixture
def screen(site: Site, cluster: FakeCluster) -> Iterator[Screen]:
    found = Screen(site, cluster)
    found.thread.start()
    yield found
    found.stop()


def mislabelled() -> dict[str, Any]:
    body = pod()
    body["metadata"]["labels"] = {"app": "webb"}
    return body


def test_a_change_is_a_reason_to_look_and_a_pass_leads_to_the_next_task(
    screen: Screen, cluster: FakeCluster, site: Site
) -> None:
    screen.until("Watching lab-90. Enter checks now, h shows a hint, Ctrl-C ends.")
    assert screen.said[0].startswith("\n90.1  not done")
    cluster.put("Pod", mislabelled(), NAMESPACE)
    told = screen.until("90.2  not done")
    assert "90.1  done" in told
    cluster.put("Pod", pod(), NAMESPACE)
    screen.until("Finished.")
    assert [one["check"] for one in screen.session.passed] == ["90.1", "90.2"]
    verdicts = [(one["check"], one["verdict"]) for one in report.read(site.results)]
    assert verdicts[-1] == ("90.2", "pass")
    assert ("90.1", "fail") in verdicts


def test_the_same_is_not_told_twice_and_not_recorded_twice(
    screen: Screen, cluster: FakeCluster, site: Site
) -> None:
    screen.until("Watching")
    looks = screen.looks
    cluster.put("ConfigMap", {"metadata": {"name": "other"}}, NAMESPACE)
    deadline = time.monotonic() + 20
    while screen.looks == looks and time.monotonic() < deadline:
        time.sleep(0.02)
    assert screen.looks > looks, "it looked"
    assert len([one for one in screen.said if "90.1  not done" in one]) == 1
    assert len(list(report.read(site.results))) == 1


def test_enter_checks_now_and_tells_it_again(screen: Screen) -> None:
    screen.until("Watching")
    screen.said.clear()
    screen.keys.press("\n")
    screen.until("90.1  not done")


def test_h_shows_a_hint(screen: Screen, site: Site) -> None:
    screen.until("Watching")
    screen.keys.press("x")
    screen.keys.press("h")
    screen.until("Look at the Pod.")
    assert report.hints_used(site.work, "90.1") == 1


def test_a_cluster_that_is_away_is_told_once_and_asked_again(
    site: Site, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "RETRY", 0.05)
    away = [True]

    def connect(_: Site) -> FakeCluster:
        if away[0]:
            raise NoCluster("The cluster's API server does not answer.", look="./lab doctor")
        return cluster

    screen = Screen(site, connect)
    screen.thread.start()
    screen.until("could not check")
    away[0] = False
    screen.until("90.1  not done")
    assert len([one for one in screen.said if "could not check" in one]) == 1
    screen.stop()


def test_what_moves_is_one_line_and_looked_at_without_news(
    site: Site, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_AGAIN", 0.05)
    cluster.put("Pod", pod(), NAMESPACE)
    count = [0]

    def look(task: labs.Task) -> Record:
        one = screen.checked(task)
        count[0] += 1
        if count[0] < 4:
            return one | {"verdict": "not_yet", "reason": "unsettled", "found": f"{count[0]} s"}
        return one

    screen = Screen(site, cluster, look)
    screen.thread.start()
    screen.until("90.1  done")
    moving = [one for one in screen.said if "still converging" in one]
    assert len(moving) == 1
    assert moving[0].count("\n") == 1
    screen.stop()


def test_the_tasks_come_in_the_order_of_the_lab(site: Site) -> None:
    assert [one.id for one in watching.tasks(site, ["90.3", "90.1"])] == ["90.1", "90.3"]
    assert [one.id for one in watching.tasks(site, ["90"])] == ["90.1", "90.2", "90.3"]


def test_all_done_is_0_and_ctrl_c_is_130_with_one_line(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    passed = {"earned": 2, "points": 2}
    monkeypatch.setattr(Session, "follow", lambda self, task, _: self.passed.append(passed))
    assert watching.watch(site, ["90.1", "90.2"]) == 0
    assert capsys.readouterr().out == "\nAll done: 4 of 4 points.\n"

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "follow", interrupted)
    assert watching.watch(site, ["90.1"]) == 130
    assert capsys.readouterr().out == "\nNo longer watching. Your objects stay as they are.\n"
    with pytest.raises(UsageError):
        watching.watch(site, ["90.7"])


def test_without_a_terminal_there_are_no_keys() -> None:
    with watching.keyboard(None) as keys:
        assert not keys.live
        assert keys.pressed() is None


def test_the_keys_of_a_terminal_come_one_by_one_and_the_terminal_is_put_back() -> None:
    import termios

    ours, theirs = pty.openpty()
    with open(theirs, encoding="ascii") as stdin:
        before = termios.tcgetattr(theirs)
        with watching.keyboard(stdin) as keys:
            os.write(ours, b"xh\n")
            assert keys.pressed(20) == watching.HINT
            assert keys.pressed(20) == watching.CHECK
        assert termios.tcgetattr(theirs) == before
    os.close(ours)


def test_watch_is_an_option_of_check_and_goes_with_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], site: Site
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(check, "here", lambda: site)
    monkeypatch.setattr(watching, "watch", lambda site, tasks: asked.append(tasks) or 0)
    assert cli.main(["check", "90.1", "--watch"]) == 0
    assert asked == [["90.1"]]
    assert cli.main(["check", "90.1", "--watch", "--timeout", "3"]) == 2
    assert "takes no other option" in capsys.readouterr().err


def test_junit_is_an_option_of_check(
    site: Site, cluster: FakeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "here", lambda: site)
    file = tmp_path / "report.xml"
    assert cli.main(["check", "90.1", "--junit", str(file)]) == 1
    assert '<property name="reason" value="not-found" />' in file.read_text()
