"""Lost requests: which are the learner's, and which only a machine that is late explains."""

from __future__ import annotations

import dataclasses

import pytest
from test_rollouts import line, pod

from kubelab import losses
from kubelab.history import PodRecord, Request, Requests

# Told to stop at 10, it drained for 11 s; another one serves all the while.
DRAINED = pod("drained", "1.0", 0.0, 2.0, deleting=10.0, gone=21.0)
SERVES = pod("serves", "2.0", 0.0, 2.0)


def lost(at: float, *pods: PodRecord, reason: str = "refused") -> losses.Losses:
    requests = Requests("nginx", 0.0, (line(1.0, "1.0"), line(at, None, reason=reason)))
    return losses.of(requests, pods)


@pytest.mark.parametrize("at", [15.5, 20.9, 22.0, 35.9])
def test_a_pod_that_drained_and_is_asked_nevertheless_is_the_machines(at: float) -> None:
    assert lost(at, DRAINED, SERVES) == losses.Losses()


def test_what_is_lost_before_every_node_could_know_is_the_learners() -> None:
    found = lost(10.4, DRAINED, SERVES)
    assert found == losses.Losses(1, "refused 0.4 s after drained was told to stop")


def test_what_is_lost_long_after_its_end_is_the_learners() -> None:
    assert lost(36.1, DRAINED, SERVES).count == 1


def test_what_is_lost_with_nobody_to_serve_is_the_learners() -> None:
    assert lost(16.0, DRAINED).count == 1
    going = pod("going", "1.0", 0.0, 2.0, deleting=12.0, gone=23.0)
    assert lost(16.0, DRAINED, going).count == 1
    never = pod("never", "3.0", 0.0, None)
    assert lost(16.0, DRAINED, never).count == 1


def test_a_pod_that_ended_before_anybody_knew_is_the_learners() -> None:
    hasty = pod("hasty", "1.0", 0.0, 2.0, deleting=15.0, gone=16.5)
    found = lost(15.6, DRAINED, SERVES, hasty)
    assert found == losses.Losses(1, "refused 0.6 s after hasty was told to stop")
    assert lost(20.1, DRAINED, SERVES, hasty).count == 0


def test_a_pod_that_failed_without_being_deleted_is_the_learners() -> None:
    failed = dataclasses.replace(SERVES, name="failed", ready=((2.0, True), (16.0, False)))
    found = lost(16.5, DRAINED, SERVES, failed)
    assert found == losses.Losses(1, "refused 0.5 s after failed was not ready")
    assert lost(27.0, DRAINED, SERVES, failed).count == 0


def test_a_pod_that_is_not_ready_because_it_goes_has_not_failed() -> None:
    ready = (*DRAINED.ready, (10.1, False))
    assert lost(16.0, dataclasses.replace(DRAINED, ready=ready), SERVES).count == 0


def test_packets_lost_on_the_way_to_pods_that_are_there_are_the_machines() -> None:
    going = pod("going", "1.0", 0.0, 2.0, deleting=10.0, gone=None)
    assert lost(11.0, going, SERVES, reason="no-connection").count == 0
    assert lost(11.0, going, SERVES).count == 1
    assert lost(11.0, going, reason="no-connection").count == 1


def test_packets_lost_around_the_end_of_a_pod_are_the_learners() -> None:
    gone = pod("gone", "1.0", 0.0, 2.0, deleting=10.0, gone=12.0)
    assert lost(12.5, gone, SERVES, reason="no-connection").count == 1
    assert lost(9.0, gone, SERVES, reason="no-connection").count == 1
    failed = dataclasses.replace(SERVES, name="failed", ready=((2.0, True), (10.5, False)))
    assert lost(11.0, failed, SERVES, reason="no-connection").count == 1


@pytest.mark.parametrize(("reason", "count"), [("no-connection", 0), ("refused", 1)])
def test_packets_lost_while_a_busy_kubelet_could_not_ask_a_pod_are_the_machines(
    reason: str, count: int
) -> None:
    ready = ((2.0, True), (16.0, False), (20.0, True))
    flaps = dataclasses.replace(SERVES, name="flaps", ready=ready)
    assert lost(17.0, flaps, SERVES, reason=reason).count == count
    restarted = dataclasses.replace(flaps, restarts=1)
    assert lost(17.0, restarted, SERVES, reason=reason).count == 1


def test_packets_lost_long_before_or_after_or_at_a_pod_that_drained_are_the_machines() -> None:
    gone = pod("gone", "1.0", 0.0, 2.0, deleting=10.0, gone=12.0)
    assert lost(7.0, gone, SERVES, reason="no-connection").count == 0
    assert lost(15.5, gone, SERVES, reason="no-connection").count == 0
    for at in (7.0, 9.5, 11.0):
        assert lost(at, DRAINED, SERVES, reason="no-connection").count == 0
        assert lost(at, DRAINED, SERVES).count == 1


def test_every_request_of_a_line_counts_and_a_status_is_a_reason() -> None:
    down = Request(1.0, 1.9, 9, 0.01, 503, "1.0", None, None, None)
    found = losses.of(Requests("nginx", 0.0, (down,)), [])
    assert found == losses.Losses(9, "HTTP 503")


def hanging(every: int, count: int) -> losses.Losses:
    """Ten requests a second of which each `every`th hangs, `count` of them."""
    lines = []
    for number in range(every * count):
        at = number / 10
        slow = number % every == 0
        one = line(at, None if slow else "2.0", reason="timeout" if slow else None)
        lines.append(dataclasses.replace(one, seconds=5.0 if slow else 0.02))
    return losses.of(Requests("nginx", 0.0, tuple(lines)), [SERVES])


def test_what_hangs_beside_quick_answers_is_a_servers() -> None:
    found = hanging(every=4, count=12)
    assert found.count == 12
    assert found.words.startswith("timeout")


def test_what_hangs_when_all_do_or_now_and_then_is_the_machines() -> None:
    assert hanging(every=1, count=30) == losses.Losses()
    assert hanging(every=4, count=losses.MANY - 1) == losses.Losses()
