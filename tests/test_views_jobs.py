"""Jobs and CronJobs as a check reads them: each fault has its reason."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import runs
from fakes import COURSE, FakeCluster
from runs import NAMESPACE

from kubelab import evidence, labs, shards, trying
from kubelab.api import Refused
from kubelab.checking import LabView
from kubelab.objects import Object, stamp
from kubelab.proofs import outcome
from kubelab.site import Site
from kubelab.snapshot import Snapshot
from kubelab.verdict import Judgement, judge

LAB = labs.find(COURSE, "90")
SUMS = [sum(shard) for shard in shards.numbers("uid-lab-90", 4)]


@pytest.fixture
def cluster() -> FakeCluster:
    found = FakeCluster(Site())
    found.recorder = lambda *_: {"pods": []}
    return found


@pytest.fixture
def view(cluster: FakeCluster) -> Iterator[LabView]:
    snapshot = Snapshot(cluster, NAMESPACE)  # type: ignore[arg-type]
    yield LabView(cluster, LAB, LAB.task("90.1"), snapshot)  # type: ignore[arg-type]
    snapshot.close()


def put(cluster: FakeCluster, body: Object, *pods: Object) -> None:
    cluster.put(body["kind"], body, NAMESPACE)
    for pod in pods:
        cluster.put("Pod", pod, NAMESPACE)


def judged(check: Callable[[LabView], None], view: LabView) -> Judgement:
    return judge(lambda: check(view), view, 0.1)


# Six runs, three at a time


def pi(view: LabView) -> None:
    job = view.job("pi")
    assert job.completions == 6
    assert job.kept
    assert not job.suspended
    assert job.ran_at_once(3)
    assert job.succeeded == 6
    assert job.lasted(5)


def done(**more: Any) -> Object:
    return runs.job(ended="Complete", status={"succeeded": 6}, **more)


def test_two_rounds_of_three_pass_and_go_on_passing_when_the_pods_are_gone(
    cluster: FakeCluster, view: LabView
) -> None:
    put(cluster, done(), *runs.two_rounds())
    assert judged(pi, view).verdict == "pass"
    for name in [name for kind, _, name in cluster.stored if kind == "Pod"]:
        cluster.delete("Pod", name, NAMESPACE)
    view.snapshot.__init__(cluster, NAMESPACE)  # type: ignore[misc]
    assert judged(pi, view).verdict == "pass"


ALL = [runs.pod(f"pi-{number}", 0, 1, 6) for number in range(6)]
SHORT = [runs.pod(f"pi-{number}", number // 3 * 4, 1 + number // 3 * 4, 2 + number // 3 * 4)
         for number in range(6)]  # fmt: skip


def test_a_job_that_has_ended_waits_for_nothing(cluster: FakeCluster, view: LabView) -> None:
    put(cluster, done(parallelism=0), *ALL)
    assert not view.job("pi").suspended


@pytest.mark.parametrize(
    ("body", "pods", "reason"),
    [
        (runs.job(completions=5), [], "wrong-completions"),
        (runs.job(completions=None), [], "wrong-completions"),
        (runs.job(ttlSecondsAfterFinished=0), [], "not-kept"),
        (runs.job(suspend=True), [], "suspended"),
        (runs.job(parallelism=0), [], "suspended"),
        (done(suspend=True), ALL, "suspended"),
        (runs.job(parallelism=1), [], "too-few-at-once"),
        (runs.job(parallelism=None), [], "too-few-at-once"),
        (done(parallelism=6), ALL, "too-many-at-once"),
        (runs.job(parallelism=4), [runs.pod(f"pi-{n}", 0) for n in range(4)], "too-many-at-once"),
        (done(), SHORT, "short-run"),
    ],
)
def test_a_wrong_job_is_refused_at_once(
    cluster: FakeCluster, view: LabView, body: Object, pods: list[Object], reason: str
) -> None:
    put(cluster, body, *pods)
    found = judged(pi, view)
    assert (found.verdict, found.reason) == ("fail", reason)
    # Told in words; nothing in it raises.
    assert evidence.gather(view, found).reason == reason


def test_a_job_that_failed_is_told_with_its_reason(cluster: FakeCluster, view: LabView) -> None:
    body = runs.job(ended="Failed", reason="BackoffLimitExceeded", status={"failed": 3})
    put(cluster, body, *(runs.pod(f"pi-{number}", 0, 1, 6, 1) for number in range(3)))
    found = judged(pi, view)
    assert (found.verdict, found.reason) == ("fail", "job-failed")
    told = evidence.gather(view, found)
    assert told.found.endswith("0 succeeded, Failed: BackoffLimitExceeded")
    assert told.chain[0].split() == ["Job", "pi", "Failed:", "BackoffLimitExceeded,", "3", "failed"]
    assert told.chain[1].startswith("├─ Pod ...-0 ")
    assert told.chain[-1].endswith("Failed, exit code 1")


@pytest.mark.parametrize(("asked", "reason"), [(3, "job-failed"), (2, "too-few-at-once")])
def test_few_at_once_is_no_fault_of_a_job_that_failed_before_all_had_started(
    cluster: FakeCluster, view: LabView, asked: int, reason: str
) -> None:
    why = "BackoffLimitExceeded"
    body = runs.job(ended="Failed", reason=why, status={"failed": 2}, parallelism=asked)
    put(cluster, body, runs.pod("pi-0", 0, 1, 6, 1), runs.pod("pi-1", 0, 7, 12, 1))
    found = judged(pi, view)
    assert (found.verdict, found.reason) == ("fail", reason)


def test_a_job_that_goes_on_is_waited_for(cluster: FakeCluster, view: LabView) -> None:
    put(cluster, runs.job(), *(runs.pod(f"pi-{number}", 0, 1) for number in range(3)))
    found = judged(pi, view)
    assert (found.verdict, found.reason) == ("not_yet", "not-complete")


def test_an_image_that_is_not_there_is_told_as_such(cluster: FakeCluster, view: LabView) -> None:
    pods = [runs.pod(f"pi-{number}", 0) for number in range(3)]
    for one in pods:
        one["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ErrImagePull"}}
    put(cluster, runs.job(), *pods)
    assert judged(pi, view).reason == "image-unavailable"


def test_runs_too_short_to_overlap_are_told_as_such(cluster: FakeCluster, view: LabView) -> None:
    starts = ((0, 1), (0, 3), (0, 2), (4, 5), (4, 7), (4, 6))
    pods = [runs.pod(f"pi-{n}", made, at, at) for n, (made, at) in enumerate(starts)]
    put(cluster, done(), *pods)
    found = judged(pi, view)
    assert (found.verdict, found.reason) == ("fail", "short-run")


def test_pods_that_no_node_takes_are_not_at_work(cluster: FakeCluster, view: LabView) -> None:
    made = (0, 0, 0, 6, 6, 14)
    pods = [runs.pod(f"pi-{n}", made[n], 1 + n // 2 * 8, 6 + n // 2 * 8) for n in range(6)]
    for one in pods:
        one["metadata"]["uid"] = one["metadata"]["name"]
    about = {"kind": "Pod", "name": "pi-2", "uid": "pi-2"}
    event = {"metadata": {"name": "e"}, "reason": "FailedScheduling", "involvedObject": about}
    put(cluster, done(), *pods)
    cluster.put("Event", event, NAMESPACE)
    found = judged(pi, view)
    assert (found.verdict, found.reason) == ("fail", "too-few-at-once")


def test_a_node_that_starts_pods_one_by_one_costs_nothing(
    cluster: FakeCluster, view: LabView
) -> None:
    pods = [runs.pod(f"pi-{n}", n // 3 * 30, 1 + n * 10, 6 + n * 10) for n in range(6)]
    put(cluster, done(), *pods)
    found = judged(pi, view)
    assert (found.verdict, "one after the other" in found.message) == ("env", True)


def test_a_quota_that_keeps_pods_away_costs_nothing(cluster: FakeCluster, view: LabView) -> None:
    pods = [runs.pod(f"pi-{number}", number * 8, number * 8 + 1, number * 8 + 6)
            for number in range(6)]  # fmt: skip
    put(cluster, done(), *pods)
    found = judged(pi, view)
    assert (found.verdict, found.reason) == ("fail", "too-few-at-once")
    event = {
        "metadata": {"name": "e"},
        "involvedObject": {"uid": "uid-pi"},
        "reason": "FailedCreate",
        "message": "exceeded quota: lab.",
    }
    cluster.put("Event", event, NAMESPACE)
    found = judged(pi, view)
    assert (found.verdict, "exceeded quota" in found.message) == ("env", True)


def test_pods_that_are_gone_are_read_from_the_record(cluster: FakeCluster, view: LabView) -> None:
    put(cluster, done(), *runs.two_rounds()[3:])
    cluster.recorder = lambda path, _: {"pods": [remembered(number) for number in range(6)]}
    assert judged(pi, view).verdict == "pass"


def test_pods_that_a_change_took_away_were_at_work_all_the_same(
    cluster: FakeCluster, view: LabView
) -> None:
    """A fourth Pod was deleted while it worked; the status of its Job does not tell of it."""
    fourth = remembered(0) | {"uid": "uid-pi-9", "name": "pi-9", "deleting": runs.NOON + 3.0}
    fourth["ready"] = fourth["ready"][:2]
    put(cluster, done(), *runs.two_rounds())
    cluster.recorder = lambda *_: {"pods": [*map(remembered, range(6)), fourth]}
    found = judged(pi, view)
    assert (found.verdict, found.reason) == ("fail", "too-many-at-once")


def test_a_pod_that_was_deleted_at_work_is_no_short_run(
    cluster: FakeCluster, view: LabView
) -> None:
    """The Job makes another in its place, after it has gone."""
    lost = remembered(3) | {"uid": "uid-pi-9", "name": "pi-9"}
    lost |= {"created": runs.NOON + 5, "deleting": runs.NOON + 7.0, "gone": runs.NOON + 7.5}
    lost["ready"] = [[runs.NOON + 5.0, False], [runs.NOON + 6.5, True]]
    put(cluster, done(), *runs.two_rounds())
    cluster.recorder = lambda *_: {"pods": [*map(remembered, range(6)), lost]}
    assert judged(pi, view).reason is None


def unseen(number: int, created: float | None = None) -> Object:
    """A run of which no kubelet told: what is known of its end is that it was cleaned away."""
    begin = remembered(number)["created"] if created is None else runs.NOON + created
    gone = {"deleting": runs.NOON + 30.0, "gone": runs.NOON + 31.0}
    return remembered(number) | gone | {"created": begin, "ready": [[begin, False]]}


def test_a_run_that_was_not_seen_and_cleaned_away_was_not_at_work_until_then(
    cluster: FakeCluster, view: LabView
) -> None:
    put(cluster, done())
    cluster.recorder = lambda *_: {"pods": [unseen(0), *map(remembered, range(1, 6))]}
    assert judged(pi, view).verdict == "pass"


@pytest.mark.parametrize(
    ("asked", "created", "said"),
    [
        # Made one after the other, two of them: there may have been four at a time, or two.
        (3, (0, 0, 6, 6, 12, 12), ("env", "environment")),
        (2, (0, 0, 6, 6, 12, 12), ("fail", "too-few-at-once")),
        (6, (0, 0, 6, 6, 12, 12), ("fail", "too-many-at-once")),
        (3, (0, 0, 0, 0, 1, 2), ("fail", "too-many-at-once")),
    ],
)
def test_what_was_not_seen_passes_for_nothing(
    cluster: FakeCluster, view: LabView, asked: int, created: Any, said: tuple[str, str]
) -> None:
    put(cluster, done(parallelism=asked))
    found = [unseen(number, at) for number, at in enumerate(created)]
    cluster.recorder = lambda *_: {"pods": found}
    verdict = judged(pi, view)
    assert (verdict.verdict, verdict.reason) == said


def test_runs_of_which_none_was_seen_are_not_too_short(cluster: FakeCluster, view: LabView) -> None:
    put(cluster, done())
    cluster.recorder = lambda *_: {"pods": list(map(unseen, range(6)))}
    found = judged(pi, view)
    assert (found.verdict, "too busy to time" in found.message) == ("env", True)


@pytest.mark.parametrize(
    ("waited", "took", "verdict"),
    [(6, 4, "env"), (6, 3, "env"), (6, 2, "fail"), (1, 4, "fail"), (6, 5, "pass")],
)
def test_a_start_that_is_told_late_makes_no_run_too_short(
    cluster: FakeCluster, view: LabView, waited: int, took: int, verdict: str
) -> None:
    begun = [number // 3 * 20 for number in range(6)]
    pods = [runs.pod(f"pi-{n}", at, at + waited, at + waited + took) for n, at in enumerate(begun)]
    put(cluster, done(), *pods)
    found = judged(pi, view)
    assert found.verdict == verdict
    assert found.reason == {"env": "environment", "fail": "short-run", "pass": None}[verdict]


@pytest.mark.parametrize(("waited", "verdict"), [(2, "fail"), (7, "env")])
def test_what_the_recorder_saw_start_late_is_not_too_short(
    cluster: FakeCluster, view: LabView, waited: float, verdict: str
) -> None:
    put(cluster, done())
    found = list(map(remembered, range(6)))
    for one in found:
        begin = one["created"] + waited
        one["ready"] = [[one["created"], False], [begin, True], [begin + 3.3, False]]
    cluster.recorder = lambda *_: {"pods": found}
    assert judged(lambda view: ran(view), view).verdict == verdict


@pytest.mark.parametrize(("took", "verdict"), [(3, "fail"), (5, "pass")])
def test_how_long_a_run_took_that_is_gone_is_read_from_what_its_pod_said(
    cluster: FakeCluster, view: LabView, took: int, verdict: str
) -> None:
    """On a busy machine its end was told two seconds late."""
    put(cluster, done())
    found = [
        remembered(number) | {"last": runs.pod(f"pi-{number}", 8 * (number // 3), at, at + took)}
        for number, at in enumerate((1, 1, 1, 9, 9, 9))
    ]
    cluster.recorder = lambda *_: {"pods": found}
    assert judged(lambda view: ran(view), view).verdict == verdict


def ran(view: LabView) -> None:
    assert view.job("pi").lasted(5)


def remembered(number: int) -> Object:
    begin = runs.NOON + (0 if number < 3 else 8)
    owner = {"kind": "Job", "name": "pi", "uid": "uid-pi"}
    ready = [[begin, False], [begin + 1.2, True], [begin + 6.4, False]]
    return {
        "uid": f"uid-pi-{number}", "name": f"pi-{number}", "created": begin, "node": "node",
        "ip": None, "restarts": 0, "version": None, "deployment": None, "deleting": None,
        "gone": begin + 60, "labels": [], "owners": [[begin, owner]], "images": [], "ready": ready,
    }  # fmt: skip


def test_a_job_that_its_own_setting_deleted_is_told_so(cluster: FakeCluster, view: LabView) -> None:
    entry = {
        "id": "1", "at": time.time() - 12, "stage": "ResponseComplete", "verb": "delete",
        "user": "system:serviceaccount:kube-system:ttl-after-finished-controller",
        "impersonated": None, "user_agent": "", "group": "batch", "resource": "jobs",
        "subresource": "", "namespace": NAMESPACE, "name": "pi", "uid": None, "dry_run": False,
        "code": 200,
    }  # fmt: skip
    cluster.recorder = lambda *_: {"entries": [entry], "complete": {}}
    told = evidence.gather(view, judged(pi, view))
    assert told.reason == "not-kept"
    assert told.near == ("Job `pi` was there, and ttlSecondsAfterFinished deleted it 12 s ago",)


# Shards


def four(view: LabView) -> None:
    job, answers = view.shards("shards", 4), view.total("answers", 4)
    assert job.indexed
    assert job.completed == 4
    assert job.logged
    assert answers.agrees("total")


class Logging(FakeCluster):
    """A cluster whose Pods log what a test says, by their index."""

    said: dict[str, str]

    def logs(self, name: str, *_: Any, **__: Any) -> list[str]:
        return self.said.get(name, "").splitlines()


@pytest.fixture
def logging() -> Logging:
    found = Logging(Site())
    body = runs.job("shards", "Complete", completionMode="Indexed", completions=4)
    body["status"]["completedIndexes"] = "0-3"
    pods = [runs.pod(f"s-{n}", 0, 1, 2, owner="shards", index=n) for n in range(4)]
    # One that failed first, and was done again.
    put(found, body, runs.pod("s-x", 0, 1, 2, 1, owner="shards", index=2), *pods)
    found.said = {f"s-{number}": f"shard {number}: {one}\n" for number, one in enumerate(SUMS)}
    return found


def in_shards(cluster: Logging, total: str) -> Judgement:
    answers = {"kind": "ConfigMap", "metadata": {"name": "answers"}, "data": {"total": total}}
    cluster.put("ConfigMap", answers, NAMESPACE)
    snapshot = Snapshot(cluster, NAMESPACE)  # type: ignore[arg-type]
    return judged(four, LabView(cluster, LAB, LAB.task("90.1"), snapshot))  # type: ignore[arg-type]


def test_a_sum_may_stand_beside_other_numbers(logging: Logging) -> None:
    logging.said = {f"s-{number}": f"22 {one} 104 987\n" for number, one in enumerate(SUMS)}
    assert in_shards(logging, str(sum(SUMS))).verdict == "pass"


@pytest.mark.parametrize("total", [f"{sum(SUMS)}", f" {sum(SUMS):,}\n", f"total: {sum(SUMS)}",
                                   f"{float(sum(SUMS))}", f"{sum(SUMS):,.2f}"])  # fmt: skip
def test_a_total_may_be_written_in_many_ways(logging: Logging, total: str) -> None:
    assert in_shards(logging, total).verdict == "pass"


@pytest.mark.parametrize(
    ("total", "reason"),
    [("", "no-total"), ("soon", "wrong-total"), ("4711", "wrong-total"),
     (f"{sum(SUMS)} 4711", "wrong-total"), (f"{sum(SUMS)}.5", "wrong-total")],
)  # fmt: skip
def test_another_total_is_refused(logging: Logging, total: str, reason: str) -> None:
    found = in_shards(logging, total)
    assert (found.verdict, found.reason) == ("fail", reason)
    assert str(sum(SUMS)) not in found.rows[-1].wanted


@pytest.mark.parametrize(
    ("name", "said", "reason"),
    [
        ("s-1", "", "no-log"),
        ("s-1", "4711", "wrong-sum"),
        ("s-1", f"{SUMS[0]}\n{SUMS[1]}", "wrong-sum"),
        ("s-0", f"{sum(SUMS)}", "wrong-sum"),
        ("s-2", f"{SUMS[2]} of {sum(SUMS)}", "wrong-sum"),
    ],
)
def test_a_log_that_says_something_else_is_refused(
    logging: Logging, name: str, said: str, reason: str
) -> None:
    logging.said[name] = said
    found = in_shards(logging, str(sum(SUMS)))
    assert (found.verdict, found.reason) == ("fail", reason)


@pytest.mark.parametrize(("ago", "verdict"), [(4.0, "not_yet"), (11.0, "fail")])
def test_a_log_that_is_told_late_is_waited_for(logging: Logging, ago: float, verdict: str) -> None:
    whole = logging.said["s-1"]
    ended = time.time() - runs.NOON - ago
    put(logging, runs.pod("s-1", 0, 1, ended, owner="shards", index=1))
    logging.said["s-1"] = "begins\n"
    found = in_shards(logging, str(sum(SUMS)))
    assert (found.verdict, found.reason) == (verdict, "no-log")
    if verdict == "not_yet":
        assert found.motion.what == "The log of index 1 is told late"
    logging.said["s-1"] = f"begins\n{whole}"
    assert in_shards(logging, str(sum(SUMS))).verdict == "pass"


def test_a_number_before_the_sum_is_no_whole_log(logging: Logging) -> None:
    whole = logging.said["s-1"]
    put(logging, runs.pod("s-1", 0, 1, time.time() - runs.NOON, owner="shards", index=1))
    logging.said["s-1"] = "index 1\n"
    assert in_shards(logging, str(sum(SUMS))).verdict == "not_yet"
    logging.said["s-1"] = f"index 1\n{whole}"
    assert in_shards(logging, str(sum(SUMS))).verdict == "pass"


def test_an_init_container_may_add_up(logging: Logging) -> None:
    pod = logging.stored["Pod", NAMESPACE, "s-0"]
    pod["spec"]["initContainers"] = [{"name": "sum"}]
    pod["spec"]["containers"] = pod["spec"]["containers"][:1]
    told = {"sum": f"{SUMS[0]}.0", "work": "done"}
    logging.said = {name: one for name, one in logging.said.items() if name != "s-0"}
    usual = logging.logs
    logging.logs = lambda name, place, box, **more: (  # type: ignore[method-assign, assignment]
        [told[box]] if name == "s-0" else usual(name, place, box, **more)
    )
    assert in_shards(logging, str(sum(SUMS))).verdict == "pass"


def test_a_log_that_is_gone_was_read_once_or_is_missed(logging: Logging) -> None:
    logging.stored.pop(("Pod", NAMESPACE, "s-3"))
    assert in_shards(logging, str(sum(SUMS))).reason == "no-log"
    put(logging, runs.pod("s-3", 0, 1, 2, owner="shards", index=3))
    assert in_shards(logging, str(sum(SUMS))).verdict == "pass"
    logging.stored.pop(("Pod", NAMESPACE, "s-3"))
    assert in_shards(logging, str(sum(SUMS))).verdict == "pass"


def test_a_pod_made_by_hand_is_no_run_of_the_job(logging: Logging) -> None:
    by_hand = runs.pod("s-3", 0, 1, 2, owner="shards", index=3)
    by_hand["metadata"]["managedFields"][0]["manager"] = "kubectl-create"
    put(logging, by_hand)
    found = in_shards(logging, str(sum(SUMS)))
    assert (found.reason, found.rows[-1].found) == (
        "pod-by-hand",
        "s-3 of index 3 was made by hand",
    )


def test_a_pod_whose_end_is_told_late_is_waited_for(logging: Logging) -> None:
    """The Job is complete; the watch of its Pods is behind."""
    ended = logging.stored.pop(("Pod", NAMESPACE, "s-3"))
    put(logging, runs.pod("s-3", 0, 1, owner="shards", index=3))
    found = in_shards(logging, str(sum(SUMS)))
    assert (found.verdict, found.reason) == ("not_yet", "no-log")
    put(logging, ended)
    assert in_shards(logging, str(sum(SUMS))).verdict == "pass"


def test_a_job_without_indexes_is_refused(cluster: FakeCluster, view: LabView) -> None:
    put(cluster, runs.job("shards", "Complete", completionMode="NonIndexed"))
    assert judged(four, view).reason == "not-indexed"


def test_an_index_that_is_missing_is_waited_for(cluster: FakeCluster, view: LabView) -> None:
    body = runs.job("shards", completionMode="Indexed", status={"completedIndexes": "0,2"})
    put(cluster, body)
    found = judged(four, view)
    assert (found.verdict, found.rows[-1].found) == ("not_yet", "2 indexes completed")


FORBIDDEN = "pods is forbidden: maximum memory usage per Container is 256Mi, but limit is 512Mi"
QUOTA = "pods is forbidden: exceeded quota: lab, requested: {}, used: {}, limited: {}"
NO_ROOM = QUOTA.format("pods=1,requests.memory=1Gi", "pods=9", "pods=9,requests.memory=4Gi")
TOO_LARGE = QUOTA.format("requests.memory=8Gi", "requests.memory=0", "requests.memory=4Gi")
SLOW = "Timeout: request did not complete within requested timeout"


def refusing(cluster: FakeCluster, message: str) -> None:
    """The API server refuses each Pod that it is asked about."""
    usual = cluster.create

    def create(kind: str, body: Object, place: str | None = None, *, dry_run: bool = False) -> Any:
        if dry_run and kind == "Pod":
            raise Refused(message)
        return usual(kind, body, place, dry_run=dry_run)

    cluster.create = create  # type: ignore[method-assign]


def refused(cluster: FakeCluster, name: str, message: str, *, still: bool = True) -> None:
    if still:
        refusing(cluster, message)
    event = {
        "kind": "Event",
        "metadata": {"name": f"{name}-refused"},
        "involvedObject": {"uid": f"uid-{name}"},
        "reason": "FailedCreate",
        "message": message,
    }
    cluster.put("Event", event, NAMESPACE)


@pytest.mark.parametrize("check", [pi, four])
@pytest.mark.parametrize(
    ("message", "verdict", "reason"),
    [
        (FORBIDDEN, "fail", "not-created"),
        (TOO_LARGE, "fail", "not-created"),
        (NO_ROOM, "not_yet", "not-complete"),
        (SLOW, "not_yet", "not-complete"),
    ],
)
def test_a_job_whose_pods_are_refused_is_not_waited_for(
    cluster: FakeCluster,
    view: LabView,
    check: Callable[[LabView], None],
    message: str,
    verdict: str,
    reason: str,
) -> None:
    name = "pi" if check is pi else "shards"
    put(cluster, runs.job(name, completionMode="Indexed"))
    refused(cluster, name, message)
    found = judged(check, view)
    few = check is pi and verdict == "not_yet"
    assert (found.verdict, found.reason) == (verdict, "too-few-at-once" if few else reason)


def test_a_try_that_failed_once_is_no_refusal(cluster: FakeCluster, view: LabView) -> None:
    """The Event stays for an hour; the API server takes the Pod by now."""
    put(cluster, runs.job("shards", completionMode="Indexed"))
    refused(cluster, "shards", FORBIDDEN, still=False)
    found = judged(four, view)
    assert (found.verdict, found.reason) == ("not_yet", "not-complete")


# A CronJob


def tick(view: LabView) -> None:
    cron_job = view.cron_job("tick")
    assert cron_job.every_minute
    assert cron_job.policy.among(("Forbid", "Replace"))
    assert cron_job.kept_successes == 2
    assert cron_job.kept
    assert cron_job.run_succeeds


def cron(**more: Any) -> Object:
    spec = {
        "schedule": "* * * * *",
        "concurrencyPolicy": "Forbid",
        "successfulJobsHistoryLimit": 2,
        "jobTemplate": {"spec": runs.job()["spec"]},
    }
    metadata = {"name": "tick", "uid": "uid-tick"}
    return {"kind": "CronJob", "metadata": metadata, "spec": spec | more}


def test_a_run_is_made_once_for_a_template(
    cluster: FakeCluster, view: LabView, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def run(*arguments: Any) -> Any:
        made.append(arguments[2])
        return outcome(arguments[-1], "a run that the course makes succeeds")

    monkeypatch.setattr(trying, "run_succeeds", run)
    for more in ({}, {"concurrencyPolicy": "Replace"}, {"suspend": True}):
        put(cluster, cron(**more))
        view.snapshot.__init__(cluster, NAMESPACE)  # type: ignore[misc]
        assert judged(tick, view).verdict == "pass"
    assert made == ["tick"]


def test_a_run_is_made_anew_where_what_it_reads_is_another(
    cluster: FakeCluster, view: LabView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused for want of a ConfigMap, which is made then: the template stays as it was."""
    words = {"valueFrom": {"configMapKeyRef": {"name": "greeting", "key": "words"}}}
    body = cron()
    template = body["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    template["containers"][0]["env"] = [{"name": "GREETING"} | words]
    put(cluster, body)

    def run(*arguments: Any) -> Any:
        there = cluster.get("ConfigMap", "greeting", NAMESPACE)
        return outcome(arguments[-1], "a run", "" if there else "container-config")

    monkeypatch.setattr(trying, "run_succeeds", run)
    assert judged(tick, view).reason == "container-config"
    greeting = {"kind": "ConfigMap", "metadata": {"name": "greeting"}, "data": {"words": "hello"}}
    cluster.put("ConfigMap", greeting, NAMESPACE)
    view.snapshot.__init__(cluster, NAMESPACE)  # type: ignore[misc]
    assert judged(tick, view).verdict == "pass"
    cluster.stored.pop(("ConfigMap", NAMESPACE, "greeting"))
    view.snapshot.__init__(cluster, NAMESPACE)  # type: ignore[misc]
    assert judged(tick, view).reason == "container-config"


def test_a_run_whose_pod_the_server_refuses_is_told_with_its_words(
    cluster: FakeCluster, view: LabView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy asks for less, and would be taken; asked again, the server may take the original."""
    monkeypatch.setattr(
        trying, "run_succeeds", lambda *arguments: outcome(arguments[-1], "a run succeeds")
    )
    usual = cluster.create
    put(cluster, cron())
    refusing(cluster, FORBIDDEN)
    found = judged(tick, view)
    assert (found.verdict, found.reason) == ("fail", "not-created")
    assert found.rows[-1].found == f"no Pod of a run can be created: {FORBIDDEN}"
    cluster.create = usual  # type: ignore[method-assign]
    assert judged(tick, view).verdict == "pass"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"schedule": "*/2 * * * *"}, "wrong-schedule"),
        ({"startingDeadlineSeconds": 0}, "wrong-schedule"),
        ({"concurrencyPolicy": "Allow"}, "runs-overlap"),
        ({"concurrencyPolicy": None}, "runs-overlap"),
        ({"successfulJobsHistoryLimit": 3}, "wrong-history"),
        ({"successfulJobsHistoryLimit": None}, "wrong-history"),
        ({"jobTemplate": {"spec": runs.job(ttlSecondsAfterFinished=60)["spec"]}}, "not-kept"),
        ({"jobTemplate": {"spec": runs.job(suspend=True)["spec"]}}, "suspended"),
        ({"jobTemplate": {"spec": runs.job(parallelism=0)["spec"]}}, "suspended"),
    ],
)
def test_a_cron_job_that_is_written_wrong_is_refused(
    cluster: FakeCluster, view: LabView, more: dict[str, Any], reason: str
) -> None:
    put(cluster, cron(**more))
    found = judged(tick, view)
    assert (found.verdict, found.reason) == ("fail", reason)


# Exit codes


def flaky(view: LabView) -> None:
    job = view.exits("flaky", "work", runs.IMAGE)
    assert job.backoff_limit == 1
    assert job.restart_policy == "Never"
    assert job.has_failure_policy
    assert job.starts
    assert job.tells_apart(75, 3)


POLICY = {"rules": [{"action": "Ignore", "onExitCodes": {"operator": "In", "values": [75]}}]}


def test_a_job_that_repeats_for_ever_is_judged_by_its_spec(
    cluster: FakeCluster, view: LabView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        trying, "tells_exits_apart", lambda *arguments: outcome(arguments[-1], "wanted")
    )
    body = runs.job("flaky", backoffLimit=1, podFailurePolicy=POLICY, status={"active": 1})
    put(cluster, body, runs.pod("f-1", 0, 1, owner="flaky"))
    assert judged(flaky, view).verdict == "pass"


@pytest.mark.parametrize(("most", "reason"), [(1, "stopped-too-early"), (10, None), (None, None)])
def test_a_job_needs_time_to_try_again(
    cluster: FakeCluster,
    view: LabView,
    monkeypatch: pytest.MonkeyPatch,
    most: int | None,
    reason: str | None,
) -> None:
    monkeypatch.setattr(
        trying, "tells_exits_apart", lambda *arguments: outcome(arguments[-1], "wanted")
    )
    more = {"backoffLimit": 1, "podFailurePolicy": POLICY, "activeDeadlineSeconds": most}
    put(cluster, runs.job("flaky", **more), STARTED)
    found = judged(flaky, view)
    assert found.reason == reason
    assert not reason or "activeDeadlineSeconds 1 " in evidence.gather(view, found).found


def waiting(reason: str) -> Object:
    pod = runs.pod("f-1", 0, owner="flaky")
    pod["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": reason}}
    return pod


def unplaced(ago: float) -> Object:
    """A Pod that no node takes, for so many seconds."""
    pod = runs.pod("f-1", 0, owner="flaky")
    said = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    since = {"lastTransitionTime": stamp(time.time() - ago), "message": "Insufficient cpu."}
    pod["status"] = {"phase": "Pending", "conditions": [said | since]}
    return pod


def unclaimed(name: str, owner: str, ago: float, **spec: Any) -> Object:
    """A Pod at which the cluster's scheduler does not look, for so many seconds."""
    pod = runs.pod(name, 0, owner=owner)
    pod["metadata"]["creationTimestamp"] = stamp(time.time() - ago)
    pod["spec"] |= spec
    pod["status"] = {"phase": "Pending"}
    return pod


def not_started(message: str) -> Object:
    pod = runs.pod("f-1", 0, 1, 1, 128, owner="flaky")
    end = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    end |= {"reason": "StartError", "message": message}
    return pod


STARTED = runs.pod("f-0", 0, 1, 2, 75, owner="flaky")
NO_PROGRAM = 'exec: "shh": executable file not found in $PATH'


@pytest.mark.parametrize(
    ("pods", "verdict", "reason"),
    [
        ([waiting("ErrImageNeverPull")], "fail", "image-unavailable"),
        ([waiting("CreateContainerConfigError")], "fail", "container-config"),
        ([waiting("ErrImagePull"), STARTED], "pass", None),
        ([STARTED], "pass", None),
        # No controller has seen the Job yet, or no node has taken its Pod.
        ([], "not_yet", "not-complete"),
        (3.0, "not_yet", "not-complete"),
        (12.0, "fail", "unschedulable"),
        ([not_started(NO_PROGRAM)], "fail", "container-config"),
        ([not_started("unable to freeze")], "not_yet", "not-complete"),
        (FORBIDDEN, "fail", "not-created"),
        (NO_ROOM, "not_yet", "not-complete"),
    ],
)
def test_a_job_that_starts_no_pod_takes_no_exit_code(
    cluster: FakeCluster,
    view: LabView,
    monkeypatch: pytest.MonkeyPatch,
    pods: Any,
    verdict: str,
    reason: str | None,
) -> None:
    monkeypatch.setattr(
        trying, "tells_exits_apart", lambda *arguments: outcome(arguments[-1], "wanted")
    )
    body = runs.job("flaky", backoffLimit=1, podFailurePolicy=POLICY)
    if isinstance(pods, str):
        refused(cluster, "flaky", pods)
        pods = []
    if isinstance(pods, float):
        pods = [unplaced(pods)]
    put(cluster, body, *pods)
    found = judged(flaky, view)
    assert (found.verdict, found.reason) == (verdict, reason)


@pytest.mark.parametrize(
    ("ago", "spec", "words"),
    [
        (3.0, {"schedulerName": "by-hand"}, ""),
        (12.0, {"schedulerName": "by-hand"}, ""),
        (32.0, {"schedulerName": "by-hand"}, "Pending: no scheduler by-hand has placed it"),
        (12.0, {"schedulingGates": [{"name": "hold"}]}, "Pending: SchedulingGated"),
        (32.0, {"schedulerName": "by-hand", "nodeName": "one"}, ""),
        (32.0, {"schedulerName": "default-scheduler"}, ""),
    ],
)
def test_a_pod_at_which_no_scheduler_looks_gets_no_node(
    cluster: FakeCluster, view: LabView, ago: float, spec: Object, words: str
) -> None:
    wanted = ("fail", "unschedulable") if words else ("not_yet", "not-complete")
    pods = [unclaimed(f"pi-{number}", "pi", ago, **spec) for number in range(3)]
    put(cluster, runs.job(status={"active": 3}), *pods)
    body = runs.job("flaky", backoffLimit=1, podFailurePolicy=POLICY)
    put(cluster, body, unclaimed("f-1", "flaky", ago, **spec))
    for check in (pi, flaky):
        found = judged(check, view)
        assert (found.verdict, found.reason) == wanted
    said = trying.how_it_ran(runs.job(), [unclaimed("t-1", "pi", ago, **spec)], time.time())
    assert said == (("unschedulable", f"the run does not start: {words}") if words else None)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({}, "wrong-backoff-limit"),
        ({"backoffLimit": 6, "podFailurePolicy": POLICY}, "wrong-backoff-limit"),
        ({"backoffLimit": 1}, "no-failure-policy"),
    ],
)
def test_a_spec_that_can_not_tell_exit_codes_apart_is_refused(
    cluster: FakeCluster, view: LabView, more: dict[str, Any], reason: str
) -> None:
    put(cluster, runs.job("flaky", **more))
    found = judged(flaky, view)
    assert (found.verdict, found.reason) == ("fail", reason)


def test_a_container_that_is_restarted_in_place_is_refused(
    cluster: FakeCluster, view: LabView
) -> None:
    body = runs.job("flaky", backoffLimit=1)
    body["spec"]["template"]["spec"]["restartPolicy"] = "OnFailure"
    put(cluster, body)
    assert judged(flaky, view).reason == "wrong-restart-policy"


@pytest.mark.parametrize("check", [pi, four, tick, flaky])
def test_what_is_not_there_is_told(view: LabView, check: Callable[[LabView], None]) -> None:
    found = judged(check, view)
    assert (found.verdict, found.reason) == ("fail", "not-found")
