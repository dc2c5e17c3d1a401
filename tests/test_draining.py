"""Draining, tried on copies: what each way of stopping and of getting ready looks like."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from fakes import Clock, FakeCluster

from kubelab import acting, draining
from kubelab.acting import Holder
from kubelab.errors import Busy, EnvironmentFault
from kubelab.objects import Object, stamp
from kubelab.site import Site

NAMESPACE = "lab-90"
CLOCK = Clock()
COPY = {"metadata": {"name": "web-copy"}, "status": {"podIP": "10.244.1.3"}}


class Draining(FakeCluster):
    """A cluster whose copy accepts for some seconds after its deletion, and then has ended."""

    accepts = 1e9
    lasts = 0.0
    code = 0
    deleted: float | None = None

    def delete(self, kind: str, name: str, namespace: str | None = None, grace: int = 0) -> None:
        self.deleted = CLOCK.monotonic()
        self.put("Pod", ended(self.code), namespace)

    def asked(self, _: Any) -> list[Object]:
        since = CLOCK.monotonic() - (self.deleted or CLOCK.monotonic())
        return [{"status": 200, "body": "{}"} if since < self.accepts else {"reason": "refused"}]


def ended(code: int) -> Object:
    state = {"terminated": {"exitCode": code, "finishedAt": stamp(CLOCK.time())}}
    return {
        "metadata": {"name": "web-copy"},
        "spec": {"containers": [{"name": "web"}]},
        "status": {"containerStatuses": [{"name": "web", "state": state}]},
    }


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Draining:
    for module in (acting, draining):
        monkeypatch.setattr(module, "time", CLOCK)
    found = Draining(Site())
    found.answer = found.asked
    return found


def trial(grace: int = 30, *, gated: bool = True) -> draining.Trial:
    spec = {"terminationGracePeriodSeconds": grace, "containers": [{"name": "web"}]}
    return draining.Trial({"metadata": {"name": "web"}, "spec": spec}, 8080, gated)


def stopped(cluster: Draining, one: draining.Trial) -> tuple[str, str]:
    return draining.stopped(Holder(cluster, NAMESPACE), one, COPY)


def test_a_copy_that_accepts_on_and_ends_by_itself_drains(cluster: Draining) -> None:
    assert stopped(cluster, trial()) == ("", "")


def test_a_copy_that_refuses_too_soon_does_not_drain(cluster: Draining) -> None:
    cluster.accepts = 0.1
    reason, found = stopped(cluster, trial())
    assert reason == "no-drain"
    assert found.startswith("a deleted copy refuses a new request after 0.")


def killing(after: float) -> Object:
    """The kubelet's Event that it stops the copy, so many seconds after now."""
    about = {"name": "web-copy"}
    when = stamp(int(CLOCK.time() + after))
    return {
        "metadata": {"name": "killing"},
        "involvedObject": about,
        "reason": "Killing",
        "lastTimestamp": when,
    }


@pytest.mark.parametrize(("accepts", "reason"), [(4.4, "no-drain"), (7.5, "")])
def test_what_a_copy_accepts_before_the_kubelet_stops_it_does_not_count(
    cluster: Draining, accepts: float, reason: str
) -> None:
    cluster.accepts = accepts
    cluster.put("Event", killing(4), NAMESPACE)
    found = stopped(cluster, trial())
    assert found[0] == reason
    assert re.search(r"refuses a new request after [01]\.\d s" if reason else "^$", found[1])


def test_without_word_of_the_kubelet_the_deletion_counts(cluster: Draining) -> None:
    cluster.accepts = 2.5
    assert stopped(cluster, trial()) == ("", "")


def test_a_copy_that_refuses_when_its_grace_is_over_was_cut_off(cluster: Draining) -> None:
    cluster.accepts = 0.0
    assert stopped(cluster, trial(grace=0))[0] == "killed"


@pytest.mark.parametrize(
    ("hook", "code", "reason"),
    [
        ({"sleep": {"seconds": 10}}, 0, "killed"),
        ({"exec": {"command": ["sleep", "10"]}}, 0, "killed"),
        ({"sleep": {"seconds": 0}}, 0, "no-drain"),
        (None, 137, "killed"),
        (None, 0, "no-drain"),
    ],
)
def test_a_grace_that_ends_while_a_copy_is_asked_is_told_from_no_drain(
    cluster: Draining, hook: Object | None, code: int, reason: str
) -> None:
    """The question takes 2 s on a busy machine, and the grace is over after 1 s."""
    cluster.code = code

    def late(_: Any) -> list[Object]:
        CLOCK.sleep(2.0)
        cluster.put("Pod", ended(code), NAMESPACE)
        return [{"reason": "refused"}]

    cluster.answer = late
    one = trial(grace=1)
    if hook:
        one.pod["spec"]["containers"][0]["lifecycle"] = {"preStop": hook}
    assert stopped(cluster, one)[0] == reason


def test_one_answer_that_comes_too_late_is_a_busy_machines(cluster: Draining) -> None:
    answers = itertools.chain([{"reason": "timeout"}] * 3, itertools.repeat({"status": 200}))
    cluster.answer = lambda _: [next(answers)]
    assert stopped(cluster, trial()) == ("", "")


def test_a_copy_that_answers_nothing_any_more_does_not_drain(
    cluster: Draining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "SILENT", 0.2)
    cluster.answer = lambda _: [{"reason": "timeout"}]
    reason, found = stopped(cluster, trial())
    assert (reason, found[:36]) == ("no-drain", "a deleted copy answers no new reques")


def test_where_nobody_answers_in_time_the_machine_may_be_to_blame(
    cluster: Draining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "SILENT", 0.2)
    cluster.answer = lambda question: [{"reason": "timeout"}] * question["count"]
    with pytest.raises(Busy, match="too busy"):
        stopped(cluster, trial())


@pytest.mark.parametrize(("late", "reason"), [(20.0, ""), (2.0, "killed")])
def test_the_grace_of_a_copy_begins_when_the_kubelet_stops_it(
    cluster: Draining, monkeypatch: pytest.MonkeyPatch, late: float, reason: str
) -> None:
    """It ends 32 s after its deletion, its grace is 30 s."""
    end, get = CLOCK.now + 32.0, cluster.get
    whole = ended(0)
    (status,) = whole["status"]["containerStatuses"]
    status["state"]["terminated"]["finishedAt"] = stamp(int(end))

    def ending(kind: str, name: str, namespace: str | None = None) -> Object | None:
        if kind == "Pod":
            return whole if CLOCK.now >= end else slow(True)
        return get(kind, name, namespace)

    monkeypatch.setattr(cluster, "get", ending)
    cluster.put("Event", killing(late), NAMESPACE)
    assert stopped(cluster, trial())[0] == reason


def test_a_copy_that_does_not_get_ready_or_to_its_end_may_be_tried_again(
    cluster: Draining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "get", lambda *_: slow(False))
    holder = Holder(cluster, NAMESPACE)
    monkeypatch.setattr(holder, "renew", lambda: None)
    with pytest.raises(Busy, match="did not get ready"):
        draining.started(holder, trial(), COPY)
    with pytest.raises(Busy, match="did not come to its end"):
        draining.stopped(holder, trial(), COPY)


def test_a_copy_that_sigkill_ends_is_killed(cluster: Draining) -> None:
    cluster.code = 137
    assert stopped(cluster, trial())[0] == "killed"


def test_a_container_beside_the_page_may_be_killed(cluster: Draining) -> None:
    body = ended(0)
    killed = {"terminated": {"exitCode": 137, "finishedAt": stamp(CLOCK.time() + 40)}}
    body["spec"]["containers"].append({"name": "beside"})
    body["status"]["containerStatuses"].append({"name": "beside", "state": killed})
    assert [one.code for one in draining.ends_of(body, trial(), CLOCK.time())] == [0]
    beside = replace(trial(), container="beside")
    assert [one.code for one in draining.ends_of(body, beside, CLOCK.time())] == [137]


def test_a_copy_whose_grace_is_over_when_it_ends_was_cut_off(cluster: Draining) -> None:
    assert stopped(cluster, trial(grace=0)) == (
        "killed",
        "a deleted copy is cut off when its grace of 0 s is over",
    )


def slow(ready: bool, restarts: int = 0) -> Object:
    return {
        "metadata": {"name": "slow"},
        "spec": {"containers": [{"name": "web"}]},
        "status": {
            "podIP": "10.244.1.4",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": [
                {"name": "web", "restartCount": restarts, "state": {"running": {}}}
            ],
        },
    }


@pytest.mark.parametrize(
    ("pod", "answer", "order"),
    [
        (slow(True), {"reason": "refused"}, "ready"),
        (slow(True), {"status": 200, "body": ""}, None),
        (slow(False), {"status": 200, "body": ""}, "accepting"),
        (slow(True, restarts=1), {"reason": "refused"}, "accepting"),
    ],
)
def test_what_a_slow_copy_is_first(
    cluster: Draining, pod: Object, answer: Object, order: str | None
) -> None:
    cluster.put("Pod", pod, NAMESPACE)
    cluster.answer = lambda _: [answer]
    assert first(cluster) == order


def first(cluster: Draining) -> str | None:
    return draining.ready_or_accepting(Holder(cluster, NAMESPACE), trial(), "slow", Event())


def test_a_slow_copy_that_is_not_ready_before_it_accepts_is_in_order(cluster: Draining) -> None:
    cluster.put("Pod", slow(False), NAMESPACE)
    answers = iter([{"reason": "refused"}, {"reason": "timeout"}, {"status": 200, "body": ""}])
    cluster.answer = lambda _: [next(answers)]
    assert first(cluster) == "accepting"


def preparing(**status: Any) -> Object:
    """A slow copy of which an init container is at work: it has an address already."""
    body = slow(False)
    body["status"]["conditions"].append({"type": "Initialized", "status": "False"})
    body["status"] |= status
    return body


@pytest.mark.parametrize(
    ("answer", "order"),
    [({"reason": "refused"}, "ready"), ({"status": 200, "body": ""}, None)],
)
def test_what_init_containers_do_tells_nothing_of_the_server(
    cluster: Draining, monkeypatch: pytest.MonkeyPatch, answer: Object, order: str | None
) -> None:
    """They take longer than a slow server may; a Pod without a probe is ready when they end."""
    made, begun = CLOCK.now + 1.0, CLOCK.now + draining.SLOW_START + 10.0

    def get(*_: Any) -> Object:
        if CLOCK.now < made:
            # Nobody has said anything of it yet.
            return {"metadata": {"name": "slow"}, "spec": {"containers": [{"name": "web"}]},
                    "status": {"phase": "Pending", "qosClass": "Burstable"}}  # fmt: skip
        return preparing() if CLOCK.now < begun else slow(True)

    monkeypatch.setattr(cluster, "get", get)
    cluster.answer = lambda _: [answer]
    one = replace(trial(), prepares=55.0)
    found = draining.ready_or_accepting(Holder(cluster, NAMESPACE), one, "slow", Event())
    assert found == order
    assert CLOCK.now >= begun


@pytest.mark.parametrize("hooked", [True, False])
def test_a_container_that_has_not_begun_shows_nothing(
    cluster: Draining, monkeypatch: pytest.MonkeyPatch, hooked: bool
) -> None:
    """As without an init container: its server accepts while the hook waits for nothing.

    Without a hook, too: a container that has not begun is not ready for no probe's sake.
    """
    begun = CLOCK.now + 10.0

    def get(*_: Any) -> Object:
        body = slow(CLOCK.now >= begun)
        state = {"running" if CLOCK.now >= begun else "waiting": {"reason": "PodInitializing"}}
        body["status"]["containerStatuses"][0]["state"] = state
        return body

    monkeypatch.setattr(cluster, "get", get)
    cluster.answer = lambda _: [{"status": 200, "body": ""}]
    holder = Holder(cluster, NAMESPACE)
    one = HOOKED if hooked else trial()
    assert draining.ready_or_accepting(holder, one, "slow", Event()) is None
    assert CLOCK.now >= begun


def test_a_copy_is_waited_for_as_long_as_its_original_prepared(
    cluster: Draining, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = CLOCK.now + draining.START + 5.0
    monkeypatch.setattr(cluster, "get", lambda *_: slow(CLOCK.now >= begun))
    holder = Holder(cluster, NAMESPACE)
    monkeypatch.setattr(holder, "renew", lambda: None)
    monkeypatch.setattr(draining, "until_answered", lambda *_: None)
    with pytest.raises(Busy, match="did not get ready"):
        draining.started(holder, trial(), COPY)
    begun = CLOCK.now + draining.START + 5.0
    assert draining.started(holder, replace(trial(), prepares=65.0), COPY)


HOOKED = draining.Trial(trial().pod, 8080, True, hooked=True)


def test_a_slow_copy_without_an_address_shows_nothing(
    cluster: Draining, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = slow(True)
    del body["status"]["podIP"]
    cluster.put("Pod", body, NAMESPACE)
    assert first(cluster) is None


def test_a_hook_keeps_the_address_until_the_server_accepts(
    cluster: Draining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "ready_or_accepting", lambda *_: None)
    monkeypatch.setattr(draining, "make", lambda *_: None)
    assert draining.slow_start(Holder(cluster, NAMESPACE), HOOKED, Event()) == (None, None)
    assert draining.too_early(1.0, None, 12.0) == ""


def test_a_hook_that_waits_as_long_for_a_slow_server_waits_for_nothing() -> None:
    words = "a copy is ready after 7 s, however slowly its server starts"
    assert draining.too_early(7.0, None, 7.0) == words
    assert draining.too_early(5.0, None, 7.0) == words, "a kubelet is not that exact"
    assert draining.too_early(1.0, None, 4.0) == "", "a fast machine"
    with pytest.raises(Busy):
        draining.too_early(4.0, None, 7.0)
    assert draining.too_early(7.0, "accepting", 7.0) == ""
    assert draining.too_early(None, None, 7.0) == ""


def test_a_pod_is_ready_so_long_after_its_last_container_began() -> None:
    body = slow(True)
    body["status"]["conditions"][0]["lastTransitionTime"] = stamp(107)
    running = {"running": {"startedAt": stamp(100)}}
    body["status"]["containerStatuses"][0]["state"] = running
    assert draining.ready_after(body) == 7.0
    assert draining.ready_after(None) is None
    assert draining.ready_after(slow(True)) is None


def test_a_copy_that_was_both_when_first_seen_is_tried_slower(
    cluster: Draining, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a busy machine would let a Pod without a probe pass."""
    orders, limits = iter([None, None, "ready"]), []
    there: list[str] = []

    def made(_: Any, namespace: str, copy: Object) -> None:
        assert there == [], "one at a time, for the quota's sake"
        there.append(copy["metadata"]["name"])
        limits.append(copy["spec"]["containers"][0]["resources"]["limits"]["cpu"])

    monkeypatch.setattr(draining, "make", made)
    monkeypatch.setattr(draining, "ready_or_accepting", lambda *_: next(orders))
    monkeypatch.setattr(cluster, "delete", lambda _, name, *__: there.remove(name))
    assert draining.slow_start(Holder(cluster, NAMESPACE), trial(), Event())[0] == "ready"
    assert limits == list(draining.SLOW)


def test_a_slow_copy_is_given_up_when_all_is_over(
    cluster: Draining, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after Ctrl-C, which would else wait for it for a minute."""
    over = Event()
    over.set()
    made: list[str] = []
    monkeypatch.setattr(draining, "make", lambda *_: made.append("copy"))
    assert draining.slow_start(Holder(cluster, NAMESPACE), trial(), over) == (None, None)
    assert made == ["copy"]


def test_what_nobody_could_see_is_the_environments_fault(
    cluster: Draining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "make", lambda *_: None)
    monkeypatch.setattr(draining, "ready_or_accepting", lambda *_: None)
    with pytest.raises(EnvironmentFault, match="too much to do"):
        draining.slow_start(Holder(cluster, NAMESPACE), trial(), Event())


def test_a_slow_copy_is_asked_for_its_readiness_at_once(
    cluster: Draining, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a probe that always says yes, late, does so when its server accepts already."""
    made: list[Object] = []
    monkeypatch.setattr(draining, "make", lambda *several: made.append(several[-1]))
    monkeypatch.setattr(draining, "ready_or_accepting", lambda *_: "accepting")
    late = {"exec": {"command": ["true"]}, "initialDelaySeconds": 10, "periodSeconds": 20}
    box = {"name": "web", "readinessProbe": late, "startupProbe": late | {"failureThreshold": 4}}
    pod = {"metadata": {"name": "web"}, "spec": {"containers": [box, {"name": "beside"}]}}
    for hooked in (False, True):
        one = replace(trial(), pod=pod, hooked=hooked)
        draining.slow_start(Holder(cluster, NAMESPACE), one, Event())
    once, hooked_box = (one["spec"]["containers"][0] for one in made)
    soon = late | {"initialDelaySeconds": 0, "periodSeconds": 1}
    assert once["readinessProbe"] == soon
    assert once["startupProbe"] == soon | {"failureThreshold": 90}
    assert hooked_box["readinessProbe"] == late | {"initialDelaySeconds": 5}


def test_a_slow_copy_gets_little_cpu_and_keeps_the_rest() -> None:
    box: Object = {"name": "web", "resources": {"limits": {"memory": "64Mi", "cpu": "2"}}}
    copy = draining.slowed({"spec": {"containers": [box]}}, "40m")
    assert copy["spec"]["containers"][0]["resources"] == {
        "limits": {"memory": "64Mi", "cpu": "40m"},
        "requests": {"cpu": "10m"},
    }
