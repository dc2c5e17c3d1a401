"""What a record says about updates and bad releases, from records made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubelab import rollouts
from kubelab.history import DeploymentRecord, Owner, PodRecord, Request, Requests, SpecChange

UID = "uid-1"


def change(at: float, version: str, *, generation: int = 1, template: str = "") -> SpecChange:
    image = {"web": f"kubelab/web:{version}"}
    return SpecChange(at, generation, image, version, 4, False, template or version)


def pod(
    name: str,
    version: str,
    created: float,
    ready: float | None,
    deleting: float | None = None,
    gone: float | None = None,
) -> PodRecord:
    return PodRecord(
        uid=name,
        name=name,
        created=created,
        node=None,
        ip=None,
        restarts=0,
        version=version,
        deployment=Owner("Deployment", "web", UID),
        deleting=deleting,
        gone=gone,
        labels_over_time=(),
        owners=(),
        images_over_time=(),
        ready=((created, False),) + (((ready, True),) if ready is not None else ()),
    )


def line(at: float, version: str | None, *, reason: str | None = None) -> Request:
    status = None if reason else 200
    return Request(at, at, 1, 0.01, status, version, None, reason, reason)


def lines(*spans: tuple[float, float, str | None]) -> tuple[Request, ...]:
    found = []
    for begin, end, version in spans:
        reason = None if version else "refused"
        steps = round((end - begin) * 10)
        found += [line(begin + step / 10, version, reason=reason) for step in range(steps)]
    return tuple(found)


GOOD = (
    pod("old", "1.0", 0.0, 2.0, deleting=12.0, gone=17.0),
    pod("new", "2.0", 10.1, 12.0),
)
LOAD = lines((0.0, 2.0, None), (2.0, 12.0, "1.0"), (12.0, 40.0, "2.0"))


def record(
    *changes: SpecChange,
    pods: tuple[PodRecord, ...] = GOOD,
    load: tuple[Request, ...] = LOAD,
    now: float = 40.0,
) -> rollouts.Record:
    several = changes or (change(0.0, "1.0"), change(10.0, "2.0"))
    deployment = DeploymentRecord(UID, "web", 0.0, None, tuple(several), ())
    return rollouts.Record(deployment, pods, Requests("nginx", 0.0, load), now)


def only(found: list[rollouts.Update]) -> rollouts.Update:
    (one,) = found
    return one


def test_a_clean_update_is_clean() -> None:
    found = only(rollouts.updates(record(), "1.0", "2.0"))
    assert found.clean
    assert (found.began, found.ended, found.lost) == (10.0, 18.0, 0)
    assert found.asked > 50


def test_what_failed_before_it_or_after_it_does_not_count() -> None:
    late = (line(30.0, None, reason="refused"),)
    assert only(rollouts.updates(record(load=LOAD + late), "1.0", "2.0")).clean


def test_one_lost_request_in_its_time_is_one_lost_request() -> None:
    for at in (10.1, 12.5, 16.9):
        load = (*LOAD, line(at, None, reason="reset"))
        found = only(rollouts.updates(record(load=load), "1.0", "2.0"))
        assert (found.lost, found.fault, found.clean) == (1, "", False)


def test_what_only_a_slow_machine_explains_is_no_lost_request() -> None:
    for reason in ("name", "timeout"):
        load = (*LOAD, line(12.5, None, reason=reason))
        assert only(rollouts.updates(record(load=load), "1.0", "2.0")).clean


def test_the_first_lost_request_says_what_had_happened_before_it() -> None:
    load = (*LOAD, line(12.5, None, reason="refused"))
    found = only(rollouts.updates(record(load=load), "1.0", "2.0"))
    assert found.first == "refused 0.5 s after old was told to stop"


def test_changes_that_keep_the_version_are_one_release() -> None:
    several = (
        change(0.0, "1.0", template="careless"),
        change(4.0, "1.0", template="careful"),
        change(10.0, "2.0"),
        change(30.0, "3.0"),
        change(35.0, "2.0"),
    )
    found = rollouts.releases(record(*several).deployment)
    assert [(one.version, one.since, one.until) for one in found] == [
        ("1.0", 0.0, 10.0),
        ("2.0", 10.0, 30.0),
        ("3.0", 30.0, 35.0),
        ("2.0", 35.0, None),
    ]
    assert only(rollouts.updates(record(*several), "1.0", "2.0")).clean


def test_without_an_answer_of_the_first_version_nothing_was_seen() -> None:
    load = lines((2.0, 12.0, None), (12.0, 40.0, "2.0"))
    found = only(rollouts.updates(record(load=load), "1.0", "2.0"))
    assert (found.fault, found.clean) == ("not-seen", False)
    assert found.words == "no request was answered by 1.0 before it"


def test_an_update_of_pods_that_were_not_there_is_none() -> None:
    gone = (replace(GOOD[0], deleting=5.0, gone=9.0), GOOD[1])
    found = only(rollouts.updates(record(pods=gone), "1.0", "2.0"))
    assert found.words == "no Pod of 1.0 was there when the image changed"


def test_an_update_that_goes_on_has_no_end() -> None:
    still = (replace(GOOD[0], deleting=None, gone=None), GOOD[1])
    found = only(rollouts.updates(record(pods=still), "1.0", "2.0"))
    assert (found.ended, found.fault) == (None, "not-seen")
    ending = (replace(GOOD[0], gone=None), GOOD[1])
    found = only(rollouts.updates(record(pods=ending), "1.0", "2.0"))
    assert (found.ended, found.fault, found.clean) == (None, "", False)


def test_an_update_that_the_next_change_cut_off_does_not_count() -> None:
    several = (change(0.0, "1.0"), change(10.0, "2.0"), change(11.0, "3.0"))
    pods = (replace(GOOD[0], deleting=14.0, gone=19.0), GOOD[1])
    found = only(rollouts.updates(record(*several, pods=pods), "1.0", "2.0"))
    assert found.words == "the next change came before it was complete"


@pytest.mark.parametrize(("told", "clean"), [(13.6, True), (16.0, False)])
def test_an_end_that_was_recorded_after_the_next_change_is_one(told: float, clean: bool) -> None:
    """What happens to Pods may be heard of a moment later than what happens to Deployments."""
    several = (change(0.0, "1.0"), change(10.0, "2.0"), change(13.0, "3.0"))
    pods = (replace(GOOD[0], deleting=told, gone=told + 5.0), GOOD[1])
    found = only(rollouts.updates(record(*several, pods=pods), "1.0", "2.0"))
    assert found.clean == clean, found.words


def test_a_time_in_which_nobody_asked_proves_nothing() -> None:
    load = lines((2.0, 10.0, "1.0"), (16.5, 40.0, "2.0"))
    found = only(rollouts.updates(record(load=load), "1.0", "2.0"))
    assert found.words == "nobody asked for more than 5 s of it"


def test_pods_of_another_deployment_do_not_count() -> None:
    other = Owner("Deployment", "web", "uid-2")
    pods = tuple(replace(one, deployment=other) for one in GOOD)
    assert only(rollouts.updates(record(pods=pods), "1.0", "2.0")).fault == "not-seen"
    requests = Requests("nginx", 0.0, LOAD)
    assert rollouts.record_of("uid-2", [record().deployment], GOOD, requests, 40.0, {}) is None


def test_any_clean_try_counts_and_otherwise_the_newest_whole_one() -> None:
    bad = rollouts.Update(1.0, 2.0, asked=10, lost=3)
    cut = rollouts.Update(3.0, fault="not-seen")
    clean = rollouts.Update(2.0, 3.0, asked=10)
    assert rollouts.best([clean, bad, cut]) is clean
    assert rollouts.best([bad, cut]) is bad
    assert rollouts.best([cut]) is cut
    assert rollouts.best([]) is None


BAD_CHANGES = (change(0.0, "2.0"), change(20.0, "3.0"), change(30.0, "2.0"))
BAD_PODS = (
    pod("good", "2.0", 0.0, 2.0),
    pod("bad", "3.0", 20.2, None, deleting=30.2, gone=35.0),
)
BAD_LOAD = lines((2.0, 40.0, "2.0"))


def test_a_bad_release_whose_pods_were_never_ready_is_clean() -> None:
    seen = record(*BAD_CHANGES, pods=BAD_PODS, load=BAD_LOAD)
    found = only(rollouts.bad_releases(seen, "3.0"))
    assert found.clean
    assert (found.began, found.ended) == (20.0, 36.0)
    assert not found.ready


def test_a_bad_release_that_got_ready_counts_for_that_try_alone() -> None:
    """The first one was made before there was a probe."""
    blind = (change(5.0, "3.0"), change(8.0, "2.0"))
    pods = (*BAD_PODS, pod("blind", "3.0", 5.2, 6.0, deleting=8.2, gone=9.0))
    seen = record(BAD_CHANGES[0], *blind, *BAD_CHANGES[1:], pods=pods, load=BAD_LOAD)
    first, second = rollouts.bad_releases(seen, "3.0")
    assert (first.ready, first.clean) == (True, False)
    assert (second.ready, second.clean) == (False, True)
    assert rollouts.best([first, second]) is second


def test_a_clean_update_counts_whatever_follows_it() -> None:
    """Pods that the way back made, and what they lose, are of another update."""
    several = (change(0.0, "1.0"), change(10.0, "2.0"), change(30.4, "1.0"), change(34.0, "2.0"))
    new = replace(GOOD[1], deleting=33.0, gone=34.0)
    back = pod("back", "1.0", 30.0, 32.0, deleting=35.0, gone=35.5)
    again = pod("again", "2.0", 34.0, 35.0)
    load = (*LOAD, line(35.2, None, reason="reset"))
    seen = record(*several, pods=(GOOD[0], new, back, again), load=load)
    first, second = rollouts.updates(seen, "1.0", "2.0")
    assert first.clean, first.words
    assert not second.clean


@pytest.mark.parametrize(("heard", "seen"), [(22.6, True), (36.0, False)])
def test_a_bad_release_that_was_heard_of_after_its_pods_is_seen(heard: float, seen: bool) -> None:
    several = (change(0.0, "2.0"), change(heard, "3.0"), change(heard + 8.0, "2.0"))
    pods = (BAD_PODS[0], replace(BAD_PODS[1], deleting=heard + 8.2, gone=heard + 10.0))
    load = lines((2.0, 60.0, "2.0"))
    found = only(rollouts.bad_releases(record(*several, pods=pods, load=load, now=60.0), "3.0"))
    assert found.clean == seen, found.words


def test_a_bad_release_that_is_still_there_has_no_end() -> None:
    seen = record(*BAD_CHANGES[:2], pods=BAD_PODS, load=BAD_LOAD)
    found = only(rollouts.bad_releases(seen, "3.0"))
    assert (found.ended, found.fault, found.lost) == (None, "", 0)


def test_a_bad_release_without_a_pod_was_not_tried() -> None:
    seen = record(*BAD_CHANGES, pods=BAD_PODS[:1], load=BAD_LOAD)
    assert only(rollouts.bad_releases(seen, "3.0")).words == "no Pod of 3.0 was made"
    assert rollouts.bad_releases(record(), "3.0") == []


def test_requests_that_are_under_way_are_waited_for() -> None:
    found = rollouts.Update(10.0, 18.0)
    assert found.under_way(20.0) == 18.0 + rollouts.UNDER_WAY - 20.0
    assert found.under_way(40.0) == 0.0


def test_of_several_containers_of_the_page_one_gives_the_version() -> None:
    """A helper of the page's image stays at its version: the first one is not the page."""
    box = {"name": "web", "image": "docker.io/kubelab/web:2.0"}

    def images(version: str) -> dict[str, str]:
        return {"numbers": "kubelab/web:1.0", "web": f"kubelab/web:{version}"}

    changes = tuple(
        replace(change(at, version), images=images(version), version="1.0")
        for at, version in ((0.0, "1.0"), (10.0, "2.0"))
    )
    pods = tuple(
        replace(one, version="1.0", images_over_time=((0.0, images(one.version or "")),))
        for one in GOOD
    )
    deployment = replace(record().deployment, changes=changes)
    requests = Requests("nginx", 0.0, LOAD)
    seen = rollouts.record_of(UID, [deployment], pods, requests, 40.0, box)
    assert seen is not None
    assert only(rollouts.updates(seen, "1.0", "2.0")).clean


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("kubelab/web:2.0", "2.0"),
        ("kubelab/web", "1.0"),
        ("kubelab/web:2.1@sha256:00", "2.1"),
        ("kubelab/toolbox:1.0", "1.0"),
        (None, "1.0"),
    ],
)
def test_where_a_container_ran_another_image_the_record_tells(
    image: str | None, version: str
) -> None:
    box = {"name": "web", "image": "kubelab/web:2.0"}
    images = {} if image is None else {"web": image}
    assert rollouts.version_of(images, "1.0", box) == version
