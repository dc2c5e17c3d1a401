"""The four verdicts, found by looking at once and watching what moves."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from fakes import COURSE, FakeCluster, pod
from urllib3.exceptions import ProtocolError

from kubelab import labs, snapshot, verdict
from kubelab.checking import LabView
from kubelab.errors import Busy, NoCluster
from kubelab.objects import Object, readiness_time, stamp
from kubelab.site import Site
from kubelab.snapshot import Snapshot
from kubelab.verdict import Verdict, judge

LAB = labs.find(COURSE, "90")
NAMESPACE = "lab-90"


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(Site())


@pytest.fixture
def view(cluster: FakeCluster) -> Iterator[LabView]:
    snapshot = Snapshot(cluster, NAMESPACE)
    yield LabView(cluster, LAB, LAB.task("90.1"), snapshot)
    snapshot.close()


def ready(view: LabView) -> None:
    assert view.pod("web").ready


def found(view: LabView, deadline: float = 5.0) -> verdict.Judgement:
    return judge(lambda: ready(view), view, deadline)


def young(body: Object, age: float) -> Object:
    """The Pod with all its times moved, so that its newest is `age` seconds ago."""
    at = stamp(time.time() - age)
    body["metadata"]["creationTimestamp"] = at
    for one in body["status"]["conditions"]:
        one["lastTransitionTime"] = at
    body["status"]["startTime"] = at
    for one in body["status"].get("containerStatuses", []):
        if "running" in one["state"]:
            one["state"]["running"]["startedAt"] = at
    return body


def test_what_is_right_and_at_rest_passes_at_once(cluster: FakeCluster, view: LabView) -> None:
    cluster.put("Pod", pod(), NAMESPACE)
    one = found(view)
    assert one.verdict == Verdict.PASS
    assert cluster.streams == {}


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("pod-never-ready", "not-ready"),
        ("pod-crash-loop", "crash-loop"),
        ("pod-image-unavailable", "image-unavailable"),
        ("pod-unschedulable", "unschedulable"),
    ],
)
def test_what_is_wrong_and_at_rest_is_refused_at_once(
    cluster: FakeCluster, view: LabView, state: str, reason: str
) -> None:
    cluster.put("Pod", pod(state), NAMESPACE)
    one = found(view)
    assert (one.verdict, one.reason) == (Verdict.FAIL, reason)
    assert cluster.streams == {}


def test_what_is_missing_and_made_by_nobody_is_refused_at_once(view: LabView) -> None:
    one = found(view)
    assert (one.verdict, one.reason) == (Verdict.FAIL, "not-found")


def test_what_still_moves_at_the_deadline_is_not_yet(cluster: FakeCluster, view: LabView) -> None:
    cluster.put("Pod", pod("pod-starting"), NAMESPACE)
    one = found(view, deadline=0.3)
    assert one.verdict == Verdict.NOT_YET
    assert 0.3 <= one.seconds < 2.0
    assert "is starting" in one.motion.what


def test_what_is_surely_at_rest_soon_is_awaited_beyond_the_deadline(
    cluster: FakeCluster, view: LabView
) -> None:
    body = pod("pod-never-ready")
    age = readiness_time(body["spec"]["containers"][0]) - 1.5
    cluster.put("Pod", young(body, age), NAMESPACE)
    assert judge(lambda: ready(view), view, 0.1).verdict == Verdict.NOT_YET
    one = judge(lambda: ready(view), view, 0.1, patience=10.0)
    assert (one.verdict, one.reason) == (Verdict.FAIL, "not-ready")


def test_what_ends_nobody_knows_when_is_not_awaited_beyond_the_deadline(
    cluster: FakeCluster, view: LabView
) -> None:
    cluster.put("Pod", pod("pod-starting"), NAMESPACE)
    one = judge(lambda: ready(view), view, 0.1, patience=10.0)
    assert one.verdict == Verdict.NOT_YET
    assert one.seconds < 5.0


def test_a_right_state_is_seen_as_soon_as_it_is_there(cluster: FakeCluster, view: LabView) -> None:
    cluster.put("Pod", pod("pod-starting"), NAMESPACE)
    threading.Timer(0.2, lambda: cluster.put("Pod", pod(), NAMESPACE)).start()
    one = found(view)
    assert one.verdict == Verdict.PASS


def test_a_right_state_is_not_believed_before_it_is_at_rest(
    cluster: FakeCluster, view: LabView
) -> None:
    body = young(pod(), 1.0)
    del body["spec"]["containers"][0]["readinessProbe"]
    cluster.put("Pod", body, NAMESPACE)
    one = found(view, deadline=0.2)
    assert (one.verdict, one.reason) == (Verdict.NOT_YET, "unsettled")
    one = found(view)
    assert one.verdict == Verdict.PASS


def test_a_fix_that_is_200_ms_old_is_not_refused(cluster: FakeCluster, view: LabView) -> None:
    old = pod("pod-never-ready")
    old["metadata"]["deletionTimestamp"] = stamp(time.time())
    cluster.put("Pod", old, NAMESPACE)
    threading.Timer(0.2, lambda: cluster.put("Pod", pod(), NAMESPACE)).start()
    assert found(view).verdict == Verdict.PASS


def test_what_has_changed_during_a_look_is_looked_at_again(
    cluster: FakeCluster, view: LabView
) -> None:
    """As a record that was read before the last Pod went, and the Pods after it."""
    cluster.put("Pod", pod("pod-never-ready"), NAMESPACE)
    looks: list[int] = []

    def check() -> None:
        looks.append(len(looks))
        one = view.pod("web")
        if len(looks) == 1:
            cluster.put("Pod", pod(), NAMESPACE)
        assert one.ready

    assert judge(check, view, 5.0).verdict == Verdict.PASS
    assert len(looks) == 2


def test_what_changes_all_the_time_is_refused_in_the_end(
    cluster: FakeCluster, view: LabView
) -> None:
    looks: list[int] = []

    def check() -> None:
        looks.append(len(looks))
        cluster.put("Pod", pod("pod-never-ready"), NAMESPACE)
        one = view.pod("web")
        cluster.put("Pod", pod("pod-never-ready"), NAMESPACE)
        assert one.ready

    one = judge(check, view, 60.0)
    assert (one.verdict, one.reason) == (Verdict.FAIL, "not-ready")
    assert len(looks) == 1 + verdict.OVERTAKEN


def test_what_the_learner_wrote_is_judged_while_the_pod_still_starts(
    cluster: FakeCluster, view: LabView
) -> None:
    cluster.put("Pod", pod("pod-starting"), NAMESPACE)

    def check() -> None:
        assert view.pod("web").label("app") == "other"

    one = judge(check, view, 5.0)
    assert (one.verdict, one.reason) == (Verdict.FAIL, "wrong-label")


def test_any_exception_but_an_assertion_is_the_courses_fault(view: LabView) -> None:
    def check() -> None:
        raise KeyError("oops")

    one = judge(check, view, 5.0)
    assert one.verdict == Verdict.ENV
    assert "KeyError" in one.message
    assert "test_verdict.py" in one.message


def test_a_cluster_that_goes_away_while_watching_is_env(
    cluster: FakeCluster, view: LabView, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.put("Pod", pod("pod-starting"), NAMESPACE)
    monkeypatch.setattr(snapshot, "PATIENCE", 0.0)
    monkeypatch.setattr(verdict, "AWAY", 0)

    def break_it() -> None:
        cluster.streams["Pod"][0].events.put(NoCluster("The API server does not answer."))

    threading.Timer(0.3, break_it).start()
    one = found(view)
    assert (one.verdict, one.message) == (Verdict.ENV, "The API server does not answer.")


def test_what_a_busy_machine_kept_from_being_asked_is_asked_again(
    cluster: FakeCluster, view: LabView, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.put("Pod", pod(), NAMESPACE)
    monkeypatch.setattr(verdict, "PAUSES", (0.0, 0.0))
    busy = [1, 2, 3, 4]

    def check() -> None:
        if busy:
            raise Busy(f"No answer to question {busy.pop()}.")
        ready(view)

    one = judge(check, view, 5.0)
    assert (one.verdict, one.message) == (Verdict.ENV, "No answer to question 2.")
    assert judge(check, view, 5.0).verdict == Verdict.PASS
    assert busy == []


def test_an_answer_of_the_api_server_that_broke_off_is_asked_for_again(
    cluster: FakeCluster, view: LabView, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.put("Pod", pod(), NAMESPACE)
    monkeypatch.setattr(verdict, "PAUSES", (0.0, 0.0))
    faults = [ProtocolError("Connection broken: IncompleteRead")]

    def check() -> None:
        if faults:
            raise faults.pop()
        ready(view)

    assert judge(check, view, 5.0).verdict == Verdict.PASS
    faults += [ProtocolError("Connection broken: IncompleteRead")] * 3
    one = judge(check, view, 5.0)
    assert (one.verdict, one.message) == (Verdict.ENV, "The API server's answer broke off.")
    assert faults == []


@pytest.mark.parametrize(("patience", "tries"), [(0.0, 1), (10.0, 3)])
def test_a_look_that_took_all_of_its_time_is_made_again_by_whoever_has_patience(
    view: LabView, monkeypatch: pytest.MonkeyPatch, patience: float, tries: int
) -> None:
    monkeypatch.setattr(verdict, "PAUSES", (0.0, 0.0))
    tried: list[int] = []

    def check() -> None:
        tried.append(1)
        raise Busy("The machine is too busy.")

    assert judge(check, view, 0.0, patience=patience).verdict == Verdict.ENV
    assert len(tried) == tries


def test_a_check_that_compares_nothing_is_the_courses_fault(view: LabView) -> None:
    assert judge(lambda: None, view, 1.0).verdict == Verdict.ENV


def test_an_assert_on_plain_values_fails_with_its_message(view: LabView) -> None:
    def check() -> None:
        assert 1 == 2, "one is not two"

    one = judge(check, view, 1.0)
    assert (one.verdict, one.reason, one.message) == (Verdict.FAIL, "not-met", "one is not two")


def test_the_exit_code_of_several_is_the_most_severe() -> None:
    code = verdict.exit_code
    assert code([]) == 0
    assert code([Verdict.PASS, Verdict.FAIL]) == 1
    assert code([Verdict.NOT_YET, Verdict.FAIL]) == 3
    assert code([Verdict.ENV, Verdict.NOT_YET]) == 4


def test_every_verdict_has_words_and_an_exit_code() -> None:
    assert [one.words for one in Verdict] == [
        "done",
        "not done",
        "still converging",
        "could not check",
    ]
    assert [one.exit_code for one in Verdict] == [0, 1, 3, 4]
