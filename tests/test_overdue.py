"""Work without an end is stopped, in any thread, and whatever it catches."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fakes import COURSE, FakeCluster

from kubelab import labs, overdue, verdict
from kubelab.checking import LabView
from kubelab.overdue import Overdue, within
from kubelab.site import Site
from kubelab.snapshot import Snapshot
from kubelab.verdict import Verdict, judge

LAB = labs.find(COURSE, "90")

pytestmark = pytest.mark.timeout(20)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overdue, "AGAIN", 0.1)
    monkeypatch.setattr(overdue, "STEP", 0.02)
    monkeypatch.setattr(verdict, "GRACE", 0.2)


@pytest.fixture
def view() -> Iterator[LabView]:
    snapshot = Snapshot(FakeCluster(Site()), "lab-90")
    yield LabView(snapshot.cluster, LAB, LAB.task("90.1"), snapshot)
    snapshot.close()


def seconds(amount: float) -> overdue.Callable[[], float]:
    """What is left of so many seconds from now."""
    end = time.monotonic() + amount
    return lambda: end - time.monotonic()


def endless() -> None:
    while True:
        pass


def stubborn() -> None:
    """Catches whatever an author may catch."""
    while True:
        try:
            raise ValueError
        except Exception:
            continue


def test_work_that_ends_gives_what_it_gives() -> None:
    assert within(lambda: 7, seconds(5)) == 7
    with pytest.raises(KeyError):
        within(lambda: {}["absent"], seconds(5))


@pytest.mark.parametrize("work", [endless, stubborn])
def test_work_without_an_end_is_stopped(work: overdue.Callable[[], None]) -> None:
    with pytest.raises(Overdue):
        within(work, seconds(0.1))


def test_it_is_stopped_in_any_thread() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert isinstance(pool.submit(within, endless, seconds(0.1)).exception(), Overdue)


def test_time_that_grows_meanwhile_is_given() -> None:
    """As acting adds to the time of a check."""
    told = iter([0.01, 0.01, 0.01])
    with pytest.raises(Overdue):
        within(endless, lambda: next(told, 0.0))
    assert list(told) == []


def test_what_ended_is_not_stopped_afterwards() -> None:
    """Also where both come at the same moment: a hundred tries, none hits what comes after."""
    for number in range(100):
        moment = 0.01 + number / 50_000
        try:
            within(lambda moment=moment: time.sleep(moment), seconds(0.011))
        except Overdue:
            continue
        for _ in range(1000):
            pass
    within(lambda: time.sleep(2 * overdue.AGAIN), seconds(5))


def test_time_that_is_over_at_the_start_harms_nobody_else() -> None:
    for _ in range(100):
        with pytest.raises(Overdue):
            within(endless, lambda: 0.0)
    within(lambda: time.sleep(2 * overdue.AGAIN), seconds(5))


def test_cleaning_up_is_not_interrupted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overdue, "AGAIN", 5.0)
    cleaned: list[str] = []

    def work() -> None:
        try:
            endless()
        finally:
            time.sleep(0.3)
            cleaned.append("up")

    with pytest.raises(Overdue):
        within(work, seconds(0.1))
    assert cleaned == ["up"]


@pytest.mark.parametrize("check", [endless, stubborn])
def test_a_check_with_an_endless_loop_is_the_courses_fault(
    view: LabView, check: overdue.Callable[[], None]
) -> None:
    one = judge(check, view, 0.1)
    assert (one.verdict, one.reason) == (Verdict.ENV, "environment")
    told = r"A fault of the course: the check did not end and was stopped after \d+ s\."
    assert re.fullmatch(told, one.message)


def test_a_check_that_waits_for_ever_on_its_own_is_stopped(view: LabView) -> None:
    def check() -> None:
        while view.pod("web").ready != "never":
            time.sleep(0.01)

    assert judge(check, view, 0.1).verdict == Verdict.ENV


def test_acting_has_time_of_its_own(view: LabView, monkeypatch: pytest.MonkeyPatch) -> None:
    """An act in progress may take its task's time, and what it took does not count later."""
    monkeypatch.setattr("kubelab.acting.PATIENCE", 0.0)
    view.acting_since = time.monotonic() - 1000
    assert view.acting_time == view.task.acts
    view.acting_since, view.acted = None, 3.0
    assert view.acting_time == 3.0


def test_nothing_is_taken_back_where_nothing_was_thrown(monkeypatch: pytest.MonkeyPatch) -> None:
    thrown: list[object] = []
    monkeypatch.setattr(overdue, "throw", lambda _, exception: thrown.append(exception))
    assert within(lambda: 7, seconds(5)) == 7
    assert thrown == [], "under a profiler Python would look for it for ever"
