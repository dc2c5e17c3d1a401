"""Jobs: how they stand, and what ran beside what, for all that whole seconds say."""

from __future__ import annotations

import itertools
import math

import pytest
import runs

from kubelab import jobs
from kubelab.history import Owner, PodRecord
from kubelab.objects import Object
from kubelab.settled import motion


def record(name: str, created: float, **more: object) -> PodRecord:
    owner = Owner("Job", "pi", "uid-pi")
    facts = {"deleting": None, "gone": None, "ready": ()} | more
    return PodRecord(
        uid=name, name=name, created=created, node=None, ip=None, restarts=0, version=None,
        deployment=None, labels_over_time=(), owners=((created, owner),), images_over_time=(),
        **facts,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_job_ends_complete_or_failed_or_goes_on() -> None:
    assert jobs.ending(runs.job(ended="Complete"))["type"] == "Complete"
    assert jobs.failed(runs.job(ended="Failed", reason="DeadlineExceeded"))["reason"]
    assert jobs.failed(runs.job(ended="Complete")) == {}
    assert jobs.ending(runs.job()) == jobs.ending(None) == {}


def test_only_the_pods_of_a_job_are_its_own() -> None:
    strange = runs.pod("other", 0, owner="other")
    found = jobs.pods_of(runs.job(), [runs.pod("pi-b", 2), strange, runs.pod("pi-a", 1)])
    assert [one["metadata"]["name"] for one in found] == ["pi-a", "pi-b"]
    assert jobs.pods_of(None, [strange]) == []


def test_a_run_is_told_by_its_containers() -> None:
    run = jobs.run_of(runs.pod("pi-a", 0, 1, 6, 3, index=2))
    assert (run.index, run.seconds, run.code, run.phase) == (2, 5, 3, "Failed")
    waits = jobs.run_of(runs.pod("pi-a", 0))
    assert (waits.started, waits.ended, waits.code, waits.seconds) == (None, None, None, None)


def test_what_an_init_container_did_is_a_part_of_the_run() -> None:
    pod = runs.pod("pi-a", 0, 4, 7)
    times = {"startedAt": runs.at(1), "finishedAt": runs.at(4)}
    pod["spec"]["initContainers"] = [
        {"name": "beside", "restartPolicy": "Always"},
        {"name": "first"},
    ]
    pod["status"]["initContainerStatuses"] = [
        {"name": "beside", "state": {"running": {"startedAt": runs.at(0)}}},
        {"name": "first", "state": {"terminated": times}},
    ]
    run = jobs.run_of(pod)
    assert (run.begun, run.started, run.seconds) == (runs.NOON + 1, runs.NOON + 4, 6.0)


SIDECAR: Object = {"name": "beside", "restartPolicy": "Always"}


def running(at: float, **more: object) -> Object:
    return {"state": {"running": {"startedAt": runs.at(at)}}, **more}


def over(begun: float, ended: float, code: int = 0) -> Object:
    times = {"startedAt": runs.at(begun), "finishedAt": runs.at(ended)}
    return {"state": {"terminated": {"exitCode": code, **times}}}


@pytest.mark.parametrize(
    ("several", "work", "waited"),
    [
        ([], running(9), 0.0),
        ([(SIDECAR, running(1))], running(3), 0.0),
        ([(SIDECAR, running(1))], running(31), 28.0),
        ([(SIDECAR, over(1, 40))], over(31, 39), 28.0),
        # The work has not been started, has been so again, or nobody knows when it might have been.
        ([(SIDECAR, running(1))], {}, 97.0),
        ([(SIDECAR, running(1))], running(31, restartCount=1), 0.0),
        ([(SIDECAR | {"startupProbe": {"exec": {}}}, running(1))], running(31), 0.0),
        ([(SIDECAR, {"state": {"waiting": {}}})], {}, 0.0),
        # An init container's own time is no waiting, nor is that between two tries of it.
        ([({"name": "first"}, over(1, 30))], running(31), 0.0),
        ([({"name": "first"}, over(1, 30))], running(41), 9.0),
        ([({"name": "first"}, over(1, 2, 1))], {}, 0.0),
        ([(SIDECAR, running(1)), ({"name": "first"}, over(11, 20))], running(30), 16.0),
    ],
)
def test_a_node_lets_a_container_wait_for_no_cause_of_the_pods_own(
    several: list[tuple[Object, Object]], work: Object, waited: float
) -> None:
    pod = runs.pod("pi-a", 0)
    named = [box | {"name": str(number)} for number, (box, _) in enumerate(several)]
    pod["spec"]["initContainers"] = named
    pod["status"]["initContainerStatuses"] = [
        {"name": str(number), **status} for number, (_, status) in enumerate(several)
    ]
    pod["status"]["containerStatuses"] = [{"name": "work", **work}]
    assert jobs.kept_waiting(pod, runs.NOON + 100) == waited


def test_a_run_of_two_containers_ends_with_the_last_of_them() -> None:
    pod = runs.pod("pi-a", 0, 1, 6)
    second = runs.pod("pi-a", 0, 2)["status"]["containerStatuses"][0] | {"name": "second"}
    pod["spec"]["containers"].append({"name": "second"})
    pod["status"] |= {"phase": "Running"}
    pod["status"]["containerStatuses"].append(second)
    assert jobs.run_of(pod).ended is None
    assert jobs.run_of(pod).started == runs.NOON + 1


def test_a_pod_that_ended_without_a_container_has_an_end() -> None:
    pod = runs.pod("pi-a", 3)
    pod["status"] = {"phase": "Failed", "reason": "Evicted"}
    assert jobs.run_of(pod).ended == runs.NOON + 3


@pytest.mark.parametrize("shift", [one / 10 for one in range(10)])
@pytest.mark.parametrize("parallelism", [1, 2, 3, 6])
def test_whole_seconds_never_show_more_or_fewer_pods_than_there_were(
    parallelism: int, shift: float
) -> None:
    """The next Pod comes at once after an end, which is as near as it can be."""
    free, pods = [shift] * parallelism, []
    for number in range(6):
        place = free.index(min(free))
        created = free[place]
        started = created + 0.4 + number * 0.07
        free[place] = started + 5.0
        pods.append(runs.pod(f"pi-{number}", *map(math.floor, (created, started, free[place]))))
    found = [jobs.run_of(one) for one in pods]
    assert jobs.pods_at_once(found) == parallelism
    assert jobs.may_have_worked_at_once(found) >= parallelism
    assert all(one.seconds is not None and one.seconds >= 5 for one in found)


def test_three_pods_that_a_node_starts_one_by_one_did_not_work_at_once() -> None:
    pods = [runs.pod(f"pi-{number}", 0, number * 8, number * 8 + 5) for number in range(3)]
    found = [jobs.run_of(one) for one in pods]
    assert (jobs.pods_at_once(found), jobs.may_have_worked_at_once(found)) == (3, 1)


def test_nothing_ran_at_once_where_nothing_ran() -> None:
    assert jobs.pods_at_once([]) == jobs.may_have_worked_at_once([]) == 0


def test_a_pod_that_is_gone_ended_before_the_recorder_saw_it() -> None:
    ready = ((10.0, False), (11.0, True), (17.0, False))
    run = jobs.remembered(record("pi-a", 10, ready=ready, gone=40.0))
    assert (run.started, run.ended) == (11.0, 15.0)
    assert jobs.remembered(record("pi-b", 10, deleting=20.0, gone=21.0)).ended == 18.0
    assert jobs.remembered(record("pi-c", 10)).ended is None


def test_what_a_pod_said_itself_counts_for_more_than_what_was_seen_of_it() -> None:
    """Its readiness was told late, a second too long."""
    ready = ((10.0, False), (11.0, True), (17.0, False))
    last = runs.pod("pi-a", 10, 11, 14)
    run = jobs.remembered(record("pi-a", 10, ready=ready, gone=40.0, last=last))
    assert (run.seconds, run.code, run.phase) == (3.0, 0, "Succeeded")
    # It was forced away at work: of its end nothing was told.
    last = runs.pod("pi-a", 10, 11)
    run = jobs.remembered(record("pi-a", 10, ready=ready[:2], deleting=20.0, last=last))
    assert (run.started, run.ended, run.phase) == (11.0, 18.0, "deleted")


def test_a_pod_that_nobody_saw_at_work_was_surely_there_for_a_moment_alone() -> None:
    seen = ((10.0, False), (11.0, True), (17.0, False))
    unseen = jobs.remembered(record("pi-a", 10, ready=((10.0, False),), deleting=40.0, gone=41.0))
    others = [jobs.remembered(record(name, 10, ready=seen, gone=40.0)) for name in "bc"]
    later = [jobs.remembered(record(name, 17, deleting=20.0, gone=21.0)) for name in "def"]
    found = [unseen, *others, *later]
    assert (jobs.pods_at_once(found), jobs.surely_at_once(found)) == (4, 3)
    # One that goes on may be new: nothing is known of its end.
    young = jobs.remembered(record("pi-g", 10))
    assert young.surely_until is None
    assert jobs.remembered(record("pi-h", 10, deleting=11.0)).surely_until == 9.0


def test_the_time_until_a_start_is_told_by_pod_and_record() -> None:
    assert jobs.run_of(runs.pod("pi-a", 0, 6, 10)).waited == 6.0
    assert jobs.run_of(runs.pod("pi-a", 0)).waited == 0.0
    seen = ((10.0, False), (17.0, True), (22.0, False))
    # The recorder may have seen the start late.
    assert jobs.remembered(record("pi-a", 10, ready=seen, gone=40.0)).waited == 5.0


@pytest.mark.parametrize(
    ("text", "found"),
    [("0-3", {0, 1, 2, 3}), ("0,2-3", {0, 2, 3}), ("7", {7}), ("", set()), (None, set())],
)
def test_completed_indexes_are_read(text: str | None, found: set[int]) -> None:
    assert jobs.indexes(text) == found


def test_an_index_stands_in_annotation_or_label() -> None:
    pod = runs.pod("pi-a", 0, index=3)
    assert jobs.index_of(pod) == 3
    pod["metadata"]["labels"] = pod["metadata"].pop("annotations")
    assert jobs.index_of(pod) == 3
    assert jobs.index_of(runs.pod("pi-a", 0)) is None


SUSPENDED = runs.job(suspend=True)
FAILED = runs.job(ended="Failed", reason="BackoffLimitExceeded")
HOPELESS = runs.job(status={"failed": 3})


@pytest.mark.parametrize(
    ("body", "settled", "words"),
    [
        (runs.job(ended="Complete"), True, ""),
        (FAILED, True, "Job pi: BackoffLimitExceeded"),
        (SUSPENDED, True, "Job pi is suspended"),
        (HOPELESS, True, "Job pi: Pod after Pod fails"),
        (runs.job(status={"failed": 3, "succeeded": 1}), False, "Job pi is not over yet"),
        (runs.job(), False, "Job pi is not over yet"),
    ],
)
def test_a_job_moves_until_its_end(body: Object, settled: bool, words: str) -> None:
    found = motion([("Job", body)], runs.NOON)
    assert (found.settled, found.what) == (settled, words)


def test_a_job_whose_pods_can_never_start_is_at_rest() -> None:
    stuck = runs.pod("pi-a", 0)
    stuck["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ErrImagePull"}}
    found = motion([("Job", runs.job()), ("Pod", stuck)], runs.NOON)
    assert found.terminal
    both = [("Job", runs.job()), ("Pod", stuck), ("Pod", runs.pod("pi-b", 0, 1))]
    assert not motion(both, runs.NOON).settled


def test_a_complete_job_whose_pods_are_told_late_moves() -> None:
    body = runs.job(ended="Complete")
    found = motion([("Job", body), ("Pod", runs.pod("pi-a", -60, -50))], runs.NOON)
    assert (found.settled, found.wait) == (False, None)
    assert found.what == "Job pi: its Pods are told late"
    assert motion([("Job", body), ("Pod", runs.pod("pi-a", -60, -50, -45))], runs.NOON).settled


def test_a_job_that_is_being_deleted_moves() -> None:
    body = runs.job(ended="Complete")
    body["metadata"]["deletionTimestamp"] = runs.at(1)
    assert not motion([("Job", body)], runs.NOON).settled


def test_spans_end_before_their_last_moment() -> None:
    spans = list(itertools.pairwise(map(float, range(5))))
    assert jobs.at_once(spans) == 1
    assert jobs.at_once([*spans, (0.0, None)]) == 2
