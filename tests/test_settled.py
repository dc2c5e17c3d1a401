"""What is at rest, what moves and what is stuck, judged from recorded Pods."""

from __future__ import annotations

import pytest
import shop
from fakes import pod

from kubelab.errors import Busy, EnvironmentFault
from kubelab.objects import Object, last_change, readiness_time, seconds, stamp
from kubelab.settled import (
    FOLLOWED,
    LAPSE,
    QUIET,
    container_trouble,
    lateness,
    motion,
    pod_motion,
    pod_trouble,
    unready,
)


def after(body: Object, later: float) -> float:
    changed = last_change(body)
    assert changed is not None
    return changed + later


@pytest.mark.parametrize(
    ("state", "reason", "terminal"),
    [
        ("pod-never-ready", "not-ready", False),
        ("pod-crash-loop", "crash-loop", True),
        ("pod-image-unavailable", "image-unavailable", True),
        ("pod-unschedulable", "unschedulable", True),
        ("pod-starting", "not-ready", False),
    ],
)
def test_each_recorded_trouble_has_its_reason(state: str, reason: str, terminal: bool) -> None:
    trouble = pod_trouble(pod(state))
    assert trouble is not None
    assert (trouble.reason, trouble.terminal) == (reason, terminal)


def test_a_ready_pod_has_no_trouble() -> None:
    assert pod_trouble(pod()) is None


def test_a_copy_is_tried_again_where_what_keeps_it_may_pass() -> None:
    assert unready(None) is Busy
    assert unready(pod_trouble(pod("pod-starting"))) is Busy
    assert unready(pod_trouble(pod("pod-image-unavailable"))) is EnvironmentFault


def unprobed() -> Object:
    body = pod()
    del body["spec"]["containers"][0]["readinessProbe"]
    return body


def test_what_changed_a_moment_ago_is_not_at_rest() -> None:
    body = unprobed()
    early = pod_motion(body, after(body, 1.0))
    assert not early.settled
    assert early.wait == pytest.approx(QUIET - 1.0)
    assert pod_motion(body, after(body, QUIET + 0.1)).settled


def test_a_pod_that_a_probe_found_ready_is_at_rest_at_once() -> None:
    body = pod()
    assert pod_motion(body, after(body, 0.0)).settled
    never = pod("pod-never-ready")
    assert not pod_motion(never, after(never, 0.0)).settled


def test_stable_for_keeps_a_young_container_moving() -> None:
    body = pod()
    assert not pod_motion(body, after(body, 5.0), stable_for=20).settled
    assert pod_motion(body, after(body, 25.0), stable_for=20).settled


def test_a_container_gets_the_time_that_its_readiness_probe_needs() -> None:
    body = pod("pod-never-ready")
    assert not pod_motion(body, after(body, 4.0)).settled
    assert pod_motion(body, after(body, 30.0)).settled


def test_a_machine_that_was_slow_to_start_a_container_gives_it_more_time() -> None:
    body = pod("pod-never-ready")
    (status,) = body["status"]["containerStatuses"]
    started = seconds(status["state"]["running"]["startedAt"])
    assert started is not None
    for condition in body["status"]["conditions"]:
        condition["lastTransitionTime"] = stamp(started - 12.0)
    usual = started + readiness_time(body["spec"]["containers"][0])
    assert not pod_motion(body, usual + 19.0).settled
    assert pod_motion(body, usual + 21.0).settled
    status["restartCount"] = 1
    assert pod_motion(body, usual + 1.0).settled
    # That was no restart: its node could not start it at first.
    status["lastState"] = {"terminated": {"reason": "StartError", "exitCode": 128}}
    assert not pod_motion(body, usual + 19.0).settled


def test_a_slow_sandbox_tells_of_the_machine_as_a_slow_start_does() -> None:
    body = pod("pod-never-ready")
    (status,) = body["status"]["containerStatuses"]
    started = seconds(status["state"]["running"]["startedAt"])
    assert started is not None
    times = {"PodScheduled": 13.0, "PodReadyToStartContainers": 1.0}
    body["status"]["conditions"] = [
        {"type": kind, "status": "True", "lastTransitionTime": stamp(started - before)}
        for kind, before in (times | {"Initialized": 1.0}).items()
    ]
    assert lateness(body, started) == 20.0


def test_a_server_without_a_probe_gets_that_time_too_before_it_is_refused() -> None:
    body = unprobed()
    (status,) = body["status"]["containerStatuses"]
    started = seconds(status["state"]["running"]["startedAt"])
    assert started is not None
    for condition in body["status"]["conditions"]:
        condition["lastTransitionTime"] = stamp(started - 12.0)
    late = after(body, QUIET + 1.0)
    assert pod_motion(body, late).settled
    assert not pod_motion(body, late, patient=True).settled
    assert pod_motion(body, started + QUIET + 21.0, patient=True).settled


def test_a_pod_that_was_ready_may_be_so_again_before_it_is_refused() -> None:
    body = pod("pod-never-ready")
    (status,) = body["status"]["containerStatuses"]
    started = seconds(status["state"]["running"]["startedAt"])
    assert started is not None
    lost = started + 3600.0
    assert pod_motion(body, lost + 4.0, patient=True).settled
    for condition in body["status"]["conditions"]:
        if condition["type"] == "Ready":
            condition["lastTransitionTime"] = stamp(lost)
    assert pod_motion(body, lost + 4.0).settled
    assert not pod_motion(body, lost + 4.0, patient=True).settled
    assert pod_motion(body, lost + LAPSE + 1.0, patient=True).settled
    # Since a restart it has never been ready.
    status["state"]["running"]["startedAt"] = stamp(lost + 1.0)
    status["restartCount"] = 1
    usual = lost + 1.0 + readiness_time(body["spec"]["containers"][0])
    assert pod_motion(body, max(usual, lost + QUIET) + 1.0, patient=True).settled


@pytest.mark.parametrize(
    ("reason", "message", "terminal"),
    [
        ("RunContainerError", 'exec: "serve": executable file not found in $PATH', True),
        ("RunContainerError", "context deadline exceeded", False),
        ("CreateContainerError", "failed to reserve container name", False),
        ("CreateContainerConfigError", 'secret "shop" does not exist', True),
    ],
)
def test_an_error_of_the_runtime_that_may_pass_is_not_terminal(
    reason: str, message: str, terminal: bool
) -> None:
    waiting = {"waiting": {"reason": reason, "message": message}}
    trouble = container_trouble("web", {"state": waiting})
    assert trouble is not None
    assert (trouble.reason, trouble.terminal) == ("container-config", terminal)


def test_a_terminal_state_is_settled_at_once() -> None:
    body = pod("pod-image-unavailable")
    found = pod_motion(body, after(body, 0.0))
    assert found.settled
    assert found.terminal


def test_a_crash_loop_is_terminal_from_the_third_exit_on() -> None:
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    for restarts, terminal in ((0, False), (1, False), (2, True), (9, True)):
        trouble = container_trouble("web", {"state": waiting, "restartCount": restarts})
        assert trouble is not None
        assert trouble.terminal is terminal


def test_a_container_that_has_crashed_must_outlive_its_last_run() -> None:
    body = pod()
    (status,) = body["status"]["containerStatuses"]
    ended = {"startedAt": "2026-11-24T13:00:00Z", "finishedAt": "2026-11-24T13:00:10Z"}
    status |= {"restartCount": 1, "lastState": {"terminated": ended | {"exitCode": 1}}}
    assert not pod_motion(body, after(body, 9.0)).settled
    assert pod_motion(body, after(body, 14.0)).settled


def test_a_pod_that_is_being_created_or_deleted_moves_for_nobody_knows_how_long() -> None:
    starting, leaving = pod("pod-starting"), pod()
    leaving["metadata"]["deletionTimestamp"] = "2026-11-24T13:00:00Z"
    for body in (starting, leaving):
        found = pod_motion(body, after(body, 600.0))
        assert not found.settled
        assert found.wait is None


def test_one_crash_loop_is_not_terminal_while_something_else_converges() -> None:
    crashing, starting = pod("pod-crash-loop"), pod("pod-starting")
    now = after(crashing, 60.0)
    assert motion([("Pod", crashing)], now).terminal
    assert not motion([("Pod", crashing), ("Pod", starting)], now).settled


def test_a_deployment_moves_until_its_controller_has_seen_it() -> None:
    body: Object = {
        "kind": "Deployment",
        "metadata": {"name": "web", "generation": 2},
        "spec": {"replicas": 2},
        "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2},
    }
    assert not motion([("Deployment", body)], 1e9).settled
    body["status"] |= {"observedGeneration": 2, "availableReplicas": 2}
    assert motion([("Deployment", body)], 1e9).settled
    body["status"]["availableReplicas"] = 1
    assert not motion([("Deployment", body)], 1e9).settled
    late = {"type": "Progressing", "reason": "ProgressDeadlineExceeded", "status": "False"}
    body["status"]["conditions"] = [late]
    assert motion([("Deployment", body)], 1e9).terminal


def test_nothing_at_all_is_at_rest() -> None:
    assert motion([], 0.0).settled


def test_a_change_that_the_kubelet_has_not_seen_is_moving() -> None:
    body = pod()
    body["metadata"]["generation"] = 2
    assert not pod_motion(body, after(body, 600.0)).settled


def test_a_container_that_an_image_change_still_has_to_end_is_moving() -> None:
    body = pod("pod-never-ready")
    body["metadata"]["generation"] = body["status"]["observedGeneration"] = 2
    assert pod_motion(body, after(body, 600.0)).settled
    body["spec"]["containers"][0]["image"] = "kubelab/web:1.0"
    found = pod_motion(body, after(body, 600.0))
    assert found.wait is None
    assert "is being replaced" in found.what


ROLLING: Object = {
    "kind": "Deployment",
    "metadata": {"name": "web", "uid": "uid-web", "generation": 2},
    "spec": {"replicas": 2},
    "status": {
        "observedGeneration": 2,
        "replicas": 3,
        "updatedReplicas": 1,
        "availableReplicas": 2,
    },
}


def rollout(*pods: Object, **status: object) -> list[tuple[str, Object]]:
    """A Deployment that rolls out, its newest ReplicaSet and the given Pods of it."""
    owned = {"kind": "Deployment", "name": "web", "uid": "uid-web", "controller": True}
    newest = {"metadata": {"name": "web-1", "uid": "uid-1", "ownerReferences": [owned]}}
    for body in pods:
        owner = {"kind": "ReplicaSet", "name": "web-1", "uid": "uid-1", "controller": True}
        body["metadata"]["ownerReferences"] = [owner]
    deployment = {**ROLLING, "status": {**ROLLING["status"], **status}}
    several = [("Pod", body) for body in pods]
    return [("Deployment", deployment), ("ReplicaSet", newest), *several]


def test_a_rollout_moves_while_one_of_its_pods_does() -> None:
    starting, ready = pod("pod-starting"), pod()
    assert not motion(rollout(ready, starting), after(ready, 60.0)).settled
    found = motion(rollout(ready), after(ready, 60.0))
    assert (found.settled, found.what) == (False, "Deployment web is rolling out")


def test_a_rollout_whose_pods_a_probe_found_ready_is_at_rest_at_once() -> None:
    status = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
    sure = rollout(pod(), pod(), **status)
    unsure = rollout(unprobed(), unprobed(), **status)
    for several in (sure, unsure):
        changed = {"time": stamp(after(pod(), 0.0)), "operation": "Update"}
        deployment = several[0][1]
        deployment["metadata"] = {**deployment["metadata"], "managedFields": [changed]}
    assert motion(sure, after(pod(), 0.1)).settled
    assert not motion(unsure, after(pod(), 0.1)).settled


def test_a_rollout_whose_new_pod_is_never_ready_is_at_rest() -> None:
    late = pod("pod-never-ready")
    assert not motion(rollout(late), after(late, 4.0)).settled
    found = motion(rollout(late), after(late, 60.0))
    assert found.settled
    assert not found.terminal


def test_an_image_that_cannot_be_had_ends_a_rollout_before_its_deadline() -> None:
    stuck = pod("pod-image-unavailable")
    assert motion(rollout(stuck), after(stuck, 0.0)).terminal


def test_a_deadline_counts_only_once_the_controller_has_seen_the_newest_spec() -> None:
    late = {"type": "Progressing", "reason": "ProgressDeadlineExceeded", "status": "False"}
    assert motion(rollout(conditions=[late]), 1e9).terminal
    undone = rollout(conditions=[late], observedGeneration=1)
    assert not motion(undone, 1e9).settled


def test_a_paused_rollout_is_at_rest() -> None:
    several = rollout(pod("pod-starting"))
    several[0][1]["spec"] = {"replicas": 2, "paused": True}
    assert motion(several[:2], 1e9).settled


def test_pods_that_a_quota_refuses_are_terminal_unless_others_still_go() -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
    ready, leaving = pod(), pod()
    now = after(ready, 60.0)
    assert motion(rollout(ready, conditions=[failure]), now).terminal
    leaving["metadata"] |= {"name": "old", "deletionTimestamp": "2026-11-24T13:00:00Z"}
    assert not motion(rollout(ready, leaving, conditions=[failure]), now).settled


def test_a_ready_pod_is_waited_for_until_it_counts_as_available() -> None:
    ready = pod()
    since = next(
        one["lastTransitionTime"] for one in ready["status"]["conditions"] if one["type"] == "Ready"
    )
    several = rollout(ready, availableReplicas=0)
    several[0][1]["spec"] = {"replicas": 2, "minReadySeconds": 30}
    found = motion(several, (seconds(since) or 0.0) + 20.0)
    assert found.wait == pytest.approx(10.0)


def test_a_replica_set_moves_until_it_has_made_its_pods() -> None:
    body: Object = {"kind": "ReplicaSet", "metadata": {"name": "web-1"}, "spec": {"replicas": 2}}
    body["status"] = {"replicas": 1}
    assert not motion([("ReplicaSet", body)], 1e9).settled
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
    body["status"]["conditions"] = [failure]
    assert motion([("ReplicaSet", body)], 1e9).terminal
    body["status"] = {"replicas": 2}
    assert motion([("ReplicaSet", body)], 1e9).settled


def test_the_time_of_a_change_is_its_managers_and_no_field_of_that_name() -> None:
    entry = {"manager": "kubectl", "time": stamp(100), "fieldsV1": {"time": stamp(200)}}
    assert last_change({"metadata": {"managedFields": [entry]}}) == 100


# A Service, its slices and its Pods

NOW = (seconds(shop.LONG_AGO) or 0.0) + 3600.0
BEHIND = {"10.0.0.1": "web-1-a"}
YOUNG, OLD = QUIET + 1.0, FOLLOWED + 1.0


def behind(
    age: float,
    listed: dict[str, str],
    *,
    selector: Object | None = None,
    ready: bool = True,
    lost: float = 3600.0,
    **spec: object,
) -> bool:
    """Whether a Service that was changed `age` seconds ago is at rest.

    Its one Pod is `ready`, or has been so until `lost` seconds ago; `listed` are the ready
    addresses of its slice.
    """
    body = shop.service("web", selector, **spec)
    body["metadata"]["creationTimestamp"] = stamp(NOW - age)
    one = shop.pod("web-1-a", 1, {"app": "web"}, ready=ready)
    one["status"]["conditions"][0]["lastTransitionTime"] = stamp(NOW - lost)
    objects = [("Service", body), ("EndpointSlice", shop.slice_of("web", listed)), ("Pod", one)]
    return motion(objects, NOW).settled


def test_slices_may_follow_a_service_late() -> None:
    assert behind(YOUNG, BEHIND)
    assert not behind(YOUNG, {})
    assert behind(OLD, {})


def test_slices_may_follow_a_pod_late() -> None:
    for age in (YOUNG, OLD):
        assert not behind(age, BEHIND, ready=False, lost=YOUNG)
    assert behind(OLD, BEHIND, ready=False, lost=OLD)
    assert behind(YOUNG, {}, ready=False)
    published = {"publishNotReadyAddresses": True}
    assert behind(YOUNG, BEHIND, ready=False, lost=YOUNG, **published)


def test_what_no_slice_will_ever_list_is_not_waited_for() -> None:
    assert behind(YOUNG, {}, selector={"app": "wep"})
