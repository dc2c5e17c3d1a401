"""The ordered end of a Pod, on a cluster in memory that plays the kubelet."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import Clock, FakeCluster, pod

from kubelab import acting, ask, ending, liveness
from kubelab.ending import End, Trial, ends_in_order, verdict
from kubelab.errors import Busy, EnvironmentFault
from kubelab.objects import Object, stamp
from kubelab.site import Site

NAMESPACE = "lab-90"
CLOCK = Clock()


def trial(grace: int = 30) -> Trial:
    body = pod()
    body["spec"]["terminationGracePeriodSeconds"] = grace
    return Trial(body, 8080, "/slow?s=5", 5.0)


class Kubelet(FakeCluster):
    """Makes copies ready at once, and ends their container `after` seconds with `code`.

    A delete takes it `busy` seconds, and it begins to stop the container `late` seconds after it;
    its Event tells of that `heard` seconds later.
    """

    hears = 0.0

    def __init__(
        self,
        *,
        after: float = 0.0,
        code: int = 0,
        status: int | None = 200,
        busy: float = 0.0,
        late: float = 0.0,
        heard: float = 0.0,
    ) -> None:
        super().__init__(Site())
        self.late, self.heard = late, heard
        self.after, self.code, self.status, self.busy = after, code, status, busy
        self.graces: list[int] = []
        self.answer = self.reply

    def create(self, kind: str, body: Object, namespace: str | None = None) -> Object:
        if kind == "Pod":
            body = body | {"status": pod()["status"]}
        return super().create(kind, body, namespace)

    def objects(self, kind: str, namespace: str | None = None, **selectors: Any) -> list[Object]:
        found = super().objects(kind, namespace, **selectors)
        return [] if kind == "Event" and CLOCK.time() < self.hears else found

    def delete(self, kind: str, name: str, namespace: str | None = None, grace: int = 0) -> None:
        super().delete(kind, name, namespace)
        body = self.stored.get((kind, namespace, name))
        if not body or not grace:
            return
        self.graces.append(grace)
        finished = stamp(CLOCK.time() + self.after)
        told = {"reason": "Killing", "lastTimestamp": stamp(CLOCK.time() + self.late)}
        event = {"metadata": {"name": "killing"}, "involvedObject": {"name": name}}
        self.put("Event", event | told, namespace)
        self.hears = CLOCK.time() + self.heard
        CLOCK.sleep(self.busy)
        end = {"exitCode": self.code, "finishedAt": finished}
        body["status"]["containerStatuses"][0]["state"] = {"terminated": end}

    def reply(self, question: Any) -> list[Object]:
        slow = "/slow" in question["url"]
        status = self.status if slow else 200
        return [{"status": status, "at": 0.0, "seconds": 5.0, "error": "cut"}]


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (acting, ending, liveness):
        monkeypatch.setattr(module, "time", CLOCK)


def run(cluster: Kubelet, tried: Trial) -> acting.Proof:
    proof = ends_in_order(cluster, NAMESPACE, tried, "key")
    assert cluster.objects("Pod", NAMESPACE) == []
    assert cluster.graces == [tried.grace], "deleted with the grace that its author gave it"
    return proof


def test_an_answer_and_an_end_of_its_own_are_the_proof() -> None:
    assert run(Kubelet(after=5.0), trial()).passed


def test_a_lost_request_is_refused() -> None:
    proof = run(Kubelet(status=None), trial())
    assert (proof.reason, proof.found) == (
        "request-lost",
        "the request that was under way is lost: cut",
    )


def test_sigkill_is_refused() -> None:
    proof = run(Kubelet(after=8.0, code=137), trial(8))
    assert (proof.passed, proof.reason) == (False, "killed")
    assert proof.found.startswith("container web was killed 8 s after the delete")


def test_an_end_with_the_grace_is_too_late() -> None:
    proof = run(Kubelet(after=10.0), trial(10))
    assert (proof.reason, proof.found) == (
        "ends-late",
        "container web ended 10 s after the delete, its grace is 10 s",
    )


def test_the_grace_begins_when_the_kubelet_stops_the_copy() -> None:
    assert run(Kubelet(after=10.0, late=2.0), trial(10)).passed


def test_a_copy_that_is_stopped_after_its_answer_proves_nothing() -> None:
    cluster = Kubelet(after=9.0, late=4.0)
    with pytest.raises(EnvironmentFault, match="too busy"):
        ends_in_order(cluster, NAMESPACE, trial(), "key")
    assert len(cluster.graces) == ending.TRIES


def test_the_event_that_tells_when_a_copy_was_stopped_is_waited_for() -> None:
    assert run(Kubelet(after=10.0, late=2.0, heard=5.0), trial(10)).passed


def test_without_the_event_nobody_knows_when_a_copy_was_stopped() -> None:
    cluster = Kubelet(after=5.0, heard=1e9)
    with pytest.raises(Busy, match="too busy"):
        ends_in_order(cluster, NAMESPACE, trial(), "key")
    assert len(cluster.graces) == ending.TRIES


@pytest.mark.parametrize("reason", ending.UNBEGUN)
@pytest.mark.parametrize("refusals", [1, ending.TRIES])
def test_a_request_that_never_began_is_begun_again(reason: str, refusals: int) -> None:
    cluster = Kubelet(after=5.0)
    unbegun = {"status": None, "reason": reason, "at": 0.0, "error": "not connected"}
    faults = [unbegun] * refusals

    def answer(question: Any) -> list[Object]:
        return [faults.pop()] if "/slow" in question["url"] and faults else cluster.reply(question)

    cluster.answer = answer
    if refusals < ending.TRIES:
        assert ends_in_order(cluster, NAMESPACE, trial(), "key").passed
    else:
        with pytest.raises(Busy, match="too busy"):
            ends_in_order(cluster, NAMESPACE, trial(), "key")
    assert faults == []


def test_a_delete_that_took_a_moment_counts() -> None:
    assert run(Kubelet(after=5.0, busy=1.5), trial()).passed


def test_a_copy_that_never_ends_may_be_tried_again() -> None:
    class Endless(Kubelet):
        def delete(
            self, kind: str, name: str, namespace: str | None = None, grace: int = 0
        ) -> None:
            if not grace:
                super().delete(kind, name, namespace)

    with pytest.raises(Busy, match="did not come to its end"):
        ends_in_order(Endless(), NAMESPACE, trial(), "key")


def test_a_page_that_does_not_take_its_time_proves_nothing() -> None:
    answer = ask.Answer(status=200, seconds=0.1)
    assert verdict(trial(), answer, [End("web", 0, 5.0)])[0] == "wrong-answer"


def test_every_container_must_end_by_itself() -> None:
    ends = [End("web", 0, 5.0), End("beside", 137, 30.0)]
    reason, found = verdict(trial(), ask.Answer(status=200, seconds=5.0), ends)
    assert (reason, found[:16]) == ("killed", "container beside")


def test_a_signal_that_ends_the_program_is_an_end_of_its_own() -> None:
    assert verdict(trial(), ask.Answer(status=200, seconds=5.0), [End("web", 143, 5.0)]) == ("", "")


def test_a_copy_that_never_starts_is_no_fault_of_the_learners() -> None:
    with pytest.raises(Busy, match="did not get ready"):
        ends_in_order(FakeCluster(Site()), NAMESPACE, trial(), "key")


def test_a_delete_that_took_too_long_is_tried_again() -> None:
    cluster = Kubelet(after=5.0, busy=2.1)
    with pytest.raises(EnvironmentFault, match="too busy"):
        ends_in_order(cluster, NAMESPACE, trial(), "key")
    assert len(cluster.graces) == ending.TRIES
    assert cluster.objects("Pod", NAMESPACE) == []


def test_the_prober_is_asked_within_what_it_takes() -> None:
    cluster = Kubelet(after=5.0)
    asked: list[float] = []
    cluster.answer = lambda question: asked.append(question["timeout"]) or cluster.reply(question)
    assert run(cluster, trial()).passed
    assert max(asked) <= 30.0
    assert max(asked) > trial().takes
