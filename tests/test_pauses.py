"""A Deployment that was changed while no controller worked: what the record must show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubelab import pauses
from kubelab.history import DeploymentRecord, Entry, Owner, PodRecord, SpecChange

UID = "uid-sleepy"
WORKER = "kube-controller-manager/v1 (linux/amd64)"


def change(at: float, replicas: int) -> SpecChange:
    return SpecChange(at, int(at), {}, None, replicas, False, "same")


def record(*changes: tuple[float, int]) -> DeploymentRecord:
    return DeploymentRecord(UID, "sleepy", 0.0, None, tuple(change(*one) for one in changes), ())


def pod(created: float, ready: float | None) -> PodRecord:
    owner = Owner("Deployment", "sleepy", UID)
    history = () if ready is None else ((ready, True),)
    return PodRecord(
        f"pod-{created}", f"sleepy-{created}", created, "node", None, 0, None, owner, None, None,
        (), (), (), history,
    )  # fmt: skip


def entry(at: float, agent: str = WORKER, **more: Any) -> Entry:
    facts = {
        "id": str(at), "at": at, "stage": "ResponseComplete", "verb": "update", "user": "someone",
        "impersonated": None, "user_agent": agent, "group": "apps", "resource": "replicasets",
        "subresource": "", "namespace": "lab-01", "name": "sleepy-1", "uid": None,
        "dry_run": False, "code": 200,
    }  # fmt: skip
    return Entry(**(facts | more))


FIRST = pod(1.0, 2.0)
MINE = Owner("ReplicaSet", "sleepy-1", "uid-set")
SCALED = record((1.0, 1), (100.0, 2))


def found(several: list[PodRecord], entries: list[Entry], of: DeploymentRecord = SCALED) -> Any:
    """What is seen where each change was somebody's, and a controller has served the first spec."""
    asked = [scaled(one.at) for one in of.changes[1:]]
    return pauses.best(pauses.pauses(of, several, [entry(1.1), *asked, *entries]), 200.0)


def scaled(at: float, user_agent: str = "kubectl/v1", **more: Any) -> Entry:
    facts = {"verb": "patch", "resource": "deployments", "subresource": "scale", "name": "sleepy"}
    return entry(at, user_agent, **(facts | more))


def test_a_change_that_waited_and_was_done_later_holds() -> None:
    seen = found([FIRST, pod(120.0, 122.0)], [entry(99.0), entry(120.0)])
    assert (seen.held(200.0), seen.converged, seen.quiet(200.0)) == (True, True, 20.0)


@pytest.mark.parametrize("woke", [100.02, 104.0])
def test_a_controller_that_worked_too_soon_is_no_pause(woke: float) -> None:
    assert not found([FIRST, pod(104.0, 106.0)], [entry(woke)]).held(200.0)


def test_what_others_do_meanwhile_is_no_controller_at_work() -> None:
    others = [entry(101.0, "kubelet/v1"), entry(102.0, "kubectl/v1")]
    assert found([FIRST, pod(120.0, 122.0)], [*others, entry(120.0)]).held(200.0)


def test_a_controller_that_is_refused_is_at_work() -> None:
    refused = entry(101.0, code=422)
    assert not found([FIRST, pod(120.0, 122.0)], [refused, entry(120.0)]).held(200.0)


@pytest.mark.parametrize("last", [3, 7])
def test_a_wish_may_change_before_it_is_met(last: int) -> None:
    changed = record((1.0, 1), (100.0, 5), (110.0, last))
    several = [FIRST, *(pod(120.0 + number, 130.0) for number in range(last - 1))]
    seen = found(several, [entry(120.0)], changed)
    assert (seen.held(200.0), seen.converged) == (True, True)


def test_a_pod_of_the_same_second_is_one_that_was_asked_for() -> None:
    asked = record((1.0, 1), (100.6, 2))
    seen = found([FIRST, pod(100.0, 102.0)], [entry(100.7)], asked)
    assert not seen.held(200.0)


def test_as_many_as_there_were_are_no_wish_for_more() -> None:
    down_and_up = record((1.0, 1), (90.0, 0), (100.0, 1))
    assert found([FIRST], [entry(120.0)], down_and_up) is None


def test_a_pod_that_came_meanwhile_is_no_pause() -> None:
    assert not found([FIRST, pod(102.0, 106.0)], [entry(120.0)]).held(200.0)


def test_without_the_pods_it_has_not_converged() -> None:
    assert not found([FIRST, pod(120.0, None)], [entry(120.0)]).converged
    assert not found([FIRST], []).converged


def test_a_wish_that_was_taken_back_has_not_converged() -> None:
    back = record((1.0, 1), (100.0, 2), (110.0, 1))
    assert not found([FIRST, pod(120.0, 122.0)], [entry(120.0)], back).converged


def test_fewer_pods_are_no_wish_for_more() -> None:
    assert found([FIRST], [entry(120.0)], record((1.0, 2), (100.0, 1))) is None


def test_of_several_tries_the_one_that_held_counts() -> None:
    tries = record((1.0, 1), (100.0, 2), (150.0, 3))
    several = [FIRST, pod(120.0, 122.0), pod(150.0, 152.0)]
    assert found(several, [entry(120.0), entry(150.02)], tries).asked == 100.0


def test_a_change_that_the_watch_saw_late_counts_from_its_request_on() -> None:
    late = record((1.0, 1), (125.0, 2))
    several = [FIRST, pod(120.0, 126.0)]
    told = [entry(50.0), scaled(100.0), entry(120.0)]
    seen = pauses.best(pauses.pauses(late, several, told), 200.0)
    assert seen is not None
    assert (seen.held(200.0), seen.converged, seen.asked) == (True, True, 100.0)


def test_a_change_that_nobody_asked_for_is_an_autoscalers() -> None:
    told = [entry(50.0), scaled(100.0, code=409), scaled(100.0, name="other"), entry(120.0)]
    assert list(pauses.pauses(SCALED, [FIRST, pod(120.0, 126.0)], told)) == []


def test_a_pause_before_the_record_is_whole_proves_nothing() -> None:
    told = [entry(1.1), scaled(100.0), entry(120.0)]
    several = [FIRST, pod(120.0, 126.0)]
    assert len(list(pauses.pauses(SCALED, several, told, since=90.0))) == 1
    assert list(pauses.pauses(SCALED, several, told, since=110.0)) == []


def test_one_that_was_deleted_meanwhile_is_made_anew_and_is_none_more() -> None:
    down_and_up = record((1.0, 1), (90.0, 0), (100.0, 1))
    first = replace(FIRST, deleting=95.0, gone=96.0)
    assert found([first, pod(120.0, 122.0)], [entry(120.0)], down_and_up) is None


@pytest.mark.parametrize("beside", ["released", "failed", "surge"])
def test_pods_that_nobody_wished_for_make_no_wish_smaller(beside: str) -> None:
    """One that was set aside, one that a node refused, and that of a rollout which hangs."""
    other = {
        "released": replace(pod(10.0, 12.0), owners=((10.0, MINE), (20.0, None))),
        "failed": replace(pod(10.0, None), owners=((10.0, MINE),)),
        "surge": replace(pod(10.0, None), owners=((10.0, MINE),)),
    }[beside]
    seen = found([FIRST, other, pod(120.0, 122.0)], [entry(10.1), entry(120.0)])
    assert (seen.held(200.0), seen.converged) == (True, True)


def test_a_pod_that_was_released_is_none_of_those_that_came() -> None:
    aside = replace(pod(10.0, 12.0), owners=((10.0, MINE), (20.0, None)))
    assert not found([FIRST, aside], [entry(120.0)]).converged


def test_a_wish_that_is_lowered_to_what_came_is_met() -> None:
    lowered = record((1.0, 1), (100.0, 4), (150.0, 2))
    assert found([FIRST, pod(120.0, 122.0)], [entry(120.0)], lowered).done == 150.0


def test_a_wish_that_was_taken_back_and_made_anew_is_another() -> None:
    anew = record((1.0, 1), (100.0, 3), (110.0, 1), (150.0, 3))
    several = [FIRST, pod(150.0, 152.0), pod(150.0, 152.0)]
    told = list(pauses.pauses(
        anew, several, [entry(1.1), *(scaled(at) for at in (100.0, 110.0, 150.0)),
                        entry(120.0), entry(150.1)],
    ))  # fmt: skip
    assert [(one.asked, one.held(200.0), one.converged) for one in told] == [
        (100.0, True, False), (150.0, False, True),
    ]  # fmt: skip


@pytest.mark.parametrize("created", [90.0, 97.0])
def test_a_pod_that_somebody_made_before_it_was_asked_for_came_meanwhile(created: float) -> None:
    """As one of the ReplicaSet's own, after the last deed of a controller, by whatever name."""
    seen = found([FIRST, pod(created, 99.0)], [entry(85.0), entry(120.0)])
    assert (seen.held(200.0), seen.pods_meanwhile) == (False, 1)
    named = entry(85.4, "kubectl/v1", verb="create", resource="pods", name="sleepy-85.0", code=201)
    assert not found([FIRST, pod(85.0, 99.0)], [entry(85.0), named, entry(120.0)]).held(200.0)


def test_a_pod_that_a_controller_made_before_is_an_old_one() -> None:
    """Its deed is on record in time, or before the record is whole."""
    several = [FIRST, pod(90.0, 92.0), pod(120.0, 122.0)]
    assert found(several, [entry(90.0), entry(120.0)]).held(200.0)
    assert found(several, [entry(89.98), entry(120.0)]).held(200.0)
    told = [entry(1.1), scaled(100.0), entry(120.0)]
    (seen,) = pauses.pauses(SCALED, several, told, since=95.0)
    assert seen.held(200.0)


@pytest.mark.parametrize(("at", "held"), [(97.0, False), (80.0, True), (130.0, True)])
def test_a_pod_that_somebody_gave_its_owner_came_then(at: float, held: bool) -> None:
    given = replace(pod(90.0, 92.0), owners=((90.0, None), (at + 0.1, MINE)))
    told = entry(at, "kubectl/v1", verb="patch", resource="pods", name="sleepy-90.0")
    assert found([FIRST, given], [entry(95.0), told, entry(120.0)]).held(200.0) is held


def test_a_pod_that_somebody_made_and_gave_its_owner_came_then() -> None:
    given = replace(pod(97.0, 98.0), owners=((97.0, None), (98.1, MINE)))
    told = {"resource": "pods", "name": "sleepy-97.0"}
    deeds = [
        entry(97.0, "kubectl/v1", verb="create", code=201, **told),
        entry(98.0, "kubectl/v1", verb="patch", **told),
    ]
    assert found([FIRST, given], [entry(95.0), *deeds, entry(120.0)]).pods_meanwhile == 1


def test_a_label_by_hand_makes_no_pod() -> None:
    told = entry(97.0, "kubectl/v1", verb="patch", resource="pods", name="sleepy-90.0")
    several = [FIRST, pod(90.0, 92.0), pod(120.0, 122.0)]
    assert found(several, [entry(95.0), told, entry(120.0)]).held(200.0)


@pytest.mark.parametrize("verb", ["create", "patch"])
def test_a_pod_by_hand_in_the_same_second_came_meanwhile(verb: str) -> None:
    told = {"verb": verb, "resource": "pods", "name": "sleepy-100.0", "code": 201}
    by_hand = entry(100.3, "kubectl/v1", **told)
    assert found([FIRST, pod(100.0, 102.0)], [by_hand, entry(120.0)]).pods_meanwhile == 1


def test_a_pod_by_hand_whose_name_nobody_wrote_is_known_by_its_missing_owner() -> None:
    adopted = replace(pod(100.0, 102.0), owners=((100.0, None), (121.0, MINE)))
    assert found([FIRST, adopted], [entry(120.0)]).pods_meanwhile == 1


def test_pods_that_are_adopted_have_come_then() -> None:
    adopted = replace(pod(95.0, 97.0), owners=((95.0, None), (120.3, MINE)))
    seen = found([FIRST, adopted], [entry(120.0)])
    assert (seen.held(200.0), seen.done) == (True, 120.3)


def test_what_an_autoscaler_does_is_nobodys_wish() -> None:
    """Whoever labels the Deployment before has asked for nothing."""
    told = [
        entry(1.1), scaled(85.0, subresource=""),
        scaled(100.0, user_agent=f"{WORKER}/horizontal-pod-autoscaler", verb="update"),
    ]  # fmt: skip
    autoscaled = record((1.0, 1), (100.05, 3))
    several = [FIRST, pod(100.0, 102.0), pod(100.0, 102.0)]
    assert list(pauses.pauses(autoscaled, several, told)) == []


def test_two_changes_that_are_seen_at_once_are_two_requests() -> None:
    """An image, and then the number; a busy recorder hears of both after both were asked for."""
    told = [entry(1.1), scaled(100.0, subresource=""), scaled(100.2), entry(120.0)]
    late = record((1.0, 1), (100.3, 1), (100.35, 2))
    (seen,) = pauses.pauses(late, [FIRST, pod(120.0, 122.0)], told)
    assert (seen.asked, seen.held(200.0), seen.converged) == (100.2, True, True)
