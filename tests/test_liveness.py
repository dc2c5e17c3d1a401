"""The trial of a liveness probe, on a cluster in memory that plays the kubelet."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from fakes import Clock, FakeCluster, pod

from kubelab import acting, liveness, replacing
from kubelab.errors import Busy, EnvironmentFault
from kubelab.liveness import Trial, restarts_when_unhealthy
from kubelab.objects import Object, seconds, stamp
from kubelab.site import Site

NAMESPACE = "lab-90"


class Kubelet(FakeCluster):
    """Makes copies ready at once, and restarts them when `/fail` was asked."""

    # How often it says no after `/fail`: a restart helps, where it is not for ever.
    says_no = 1.0

    def __init__(self, restart: Callable[[Object], None], healthy_after: int = 503) -> None:
        super().__init__(Site())
        self.restart = restart
        self.healthy_after = healthy_after
        self.failed = False
        self.answer = self.reply

    def create(self, kind: str, body: Object, namespace: str | None = None) -> Object:
        if kind == "Pod":
            body = body | {"status": pod()["status"]}
        return super().create(kind, body, namespace)

    def reply(self, question: Any) -> list[Object]:
        if question["url"].endswith("/fail"):
            self.failed = True
            for (kind, _, name), body in self.stored.items():
                if kind == "Pod" and "-copy-" in name:
                    self.restart(body)
            return [{"status": 200}]
        refused = ":9090" in question["url"]
        sick = self.failed and self.says_no > 0
        self.says_no -= sick
        status = self.healthy_after if sick else 200
        return [{"status": None, "error": "refused"} if refused else {"status": status}]


def restarted(body: Object) -> None:
    body["status"]["containerStatuses"][0]["restartCount"] = 1


def untouched(body: Object) -> None:
    pass


def ended(body: Object) -> None:
    body["status"]["phase"] = "Failed"
    body["spec"]["restartPolicy"] = "Never"


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    for module in (acting, liveness):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(liveness, "probe_time", lambda probe: probe.get("time", 0.05))


def trial(**probe: Any) -> Trial:
    body = pod()
    body["spec"]["containers"][0]["livenessProbe"] |= probe
    return Trial(body, "web", 8080, "/fail")


def run(cluster: FakeCluster, tried: Trial) -> acting.Proof:
    cluster.put("Pod", tried.pod, NAMESPACE)
    proof = restarts_when_unhealthy(cluster, NAMESPACE, tried, "key")
    assert [one["metadata"]["name"] for one in cluster.objects("Pod", NAMESPACE)] == ["web"]
    return proof


def test_a_copy_that_is_restarted_is_the_proof() -> None:
    assert run(Kubelet(restarted), trial()).passed


def test_a_restart_that_does_not_help_is_none() -> None:
    """Another container answers there, and nobody restarts that one."""
    cluster = Kubelet(restarted)
    cluster.says_no = float("inf")
    proof = run(cluster, trial())
    assert proof.reason == "not-restarted"
    assert proof.found == "a restart of web does not help: :8080/healthz says no still"


def test_a_restarted_copy_that_does_not_answer_costs_nothing() -> None:
    class Silent(Kubelet):
        def reply(self, question: Any) -> list[Object]:
            answers = super().reply(question)
            return answers if self.says_no > 0 or not self.failed else [{"status": None}]

    with pytest.raises(EnvironmentFault, match="was restarted and did not answer in time"):
        run(Silent(restarted), trial())


def test_a_probe_that_never_fails_is_refused_without_waiting() -> None:
    proof = run(Kubelet(untouched, healthy_after=200), trial())
    assert (proof.passed, proof.reason) == (False, "not-restarted")
    assert proof.found == "an unhealthy copy says yes to its probe on /healthz"


def test_a_restart_that_is_quicker_than_the_question_is_one() -> None:
    """Well again before it was asked: an answer of the copy that no longer is."""
    cluster = Kubelet(restarted)
    cluster.says_no = 0.0
    assert run(cluster, trial()).passed


def test_a_probe_on_another_path_says_yes_of_an_unhealthy_copy() -> None:
    turns: list[str] = []

    class Elsewhere(Kubelet):
        def reply(self, question: Any) -> list[Object]:
            path = question["url"].rpartition("/")[2]
            if path == "fail":
                turns.append(path)
                return super().reply(question)
            return [{"status": 503 if turns and path == "healthz" else 200}]

    proof = run(Elsewhere(untouched), trial(httpGet={"path": "/", "port": 8080}))
    assert proof.found == "an unhealthy copy says yes to its probe on /"
    assert turns == ["fail"], "it is refused at once"


def test_a_copy_that_says_late_that_it_is_unhealthy_is_told_so_again() -> None:
    class Late(Kubelet):
        late = 2

        def reply(self, question: Any) -> list[Object]:
            if question["url"].endswith("/fail") and self.late:
                self.late -= 1
                return [{"status": None, "reason": "timeout", "error": "no answer within 2 s"}]
            return super().reply(question)

    cluster = Late(restarted)
    assert run(cluster, trial()).passed
    assert cluster.late == 0
    cluster = Late(restarted)
    cluster.late = 1000
    with pytest.raises(Busy, match=r"made unhealthy \(no answer within 2 s\)"):
        run(cluster, trial())


def test_a_copy_that_is_not_restarted_in_time_is_refused() -> None:
    proof = run(Kubelet(untouched), trial(terminationGracePeriodSeconds=1))
    assert (proof.reason, proof.found) == ("not-restarted", "an unhealthy copy is not restarted")


def test_an_end_for_good_is_no_restart() -> None:
    proof = run(Kubelet(ended), trial())
    assert proof.reason == "not-restarted"
    assert "restartPolicy Never" in proof.found


def test_a_probe_on_a_wrong_port_is_found_before_anything_is_broken() -> None:
    cluster = Kubelet(restarted)
    tried = trial(httpGet={"path": "/healthz", "port": 9090})
    proof = run(cluster, tried)
    assert proof.reason == "wrong-liveness-probe"
    assert not cluster.failed


def test_a_port_name_that_no_port_has_is_found() -> None:
    proof = run(Kubelet(restarted), trial(httpGet={"path": "/healthz", "port": "htpt"}))
    assert "no container port has the name htpt" in proof.found


def test_the_original_is_the_control() -> None:
    class Both(Kubelet):
        def reply(self, question: Any) -> list[Object]:
            answers = super().reply(question)
            if self.failed:
                restarted(self.stored["Pod", NAMESPACE, "web"])
            return answers

    assert run(Both(restarted), trial()).reason == "restarted-healthy"


def test_a_probe_too_slow_for_a_check_is_refused_at_once() -> None:
    cluster = Kubelet(restarted)
    proof = run(cluster, trial(time=liveness.SLOWEST + 1))
    assert proof.wanted == "an unhealthy copy is restarted within 125 s"
    assert proof.reason == "not-restarted"
    assert not cluster.failed


@pytest.mark.parametrize(
    ("delay", "ready", "gated", "cut"),
    [
        (300, 5.0, True, 120),
        (90, 5.0, True, 90),
        (300, 80.0, True, 190),
        (300, 5.0, False, 300),
        (300, None, True, 300),
    ],
)
def test_a_delay_much_longer_than_the_pod_needed_is_cut_short(
    monkeypatch: pytest.MonkeyPatch, delay: int, ready: float | None, gated: bool, cut: int
) -> None:
    """Without a readiness or startup probe nobody knows how long its server needed."""
    monkeypatch.setattr(liveness, "ready_after", lambda _: ready)
    tried = trial(initialDelaySeconds=delay)
    if not gated:
        del tried.spec["readinessProbe"]
    cluster = Kubelet(restarted)
    made: list[Object] = []
    create = cluster.create

    def keep(kind: str, body: Object, namespace: str | None = None) -> Object:
        made.extend([body] if kind == "Pod" else [])
        return create(kind, body, namespace)

    cluster.create = keep  # type: ignore[method-assign]
    assert run(cluster, tried).passed
    (copy,) = made
    (box,) = copy["spec"]["containers"]
    assert box["livenessProbe"] == tried.spec["livenessProbe"] | {"initialDelaySeconds": cut}


def test_a_copy_that_never_starts_is_no_fault_of_the_learners() -> None:
    with pytest.raises(Busy, match="did not get ready"):
        run(FakeCluster(Site()), trial())


def test_a_copy_that_cannot_start_is_not_tried_again() -> None:
    class Unavailable(FakeCluster):
        def create(self, kind: str, body: Object, namespace: str | None = None) -> Object:
            if kind == "Pod":
                body = body | {"status": pod("pod-image-unavailable")["status"]}
            return super().create(kind, body, namespace)

    with pytest.raises(EnvironmentFault, match="did not get ready") as found:
        run(Unavailable(Site()), trial())
    assert not isinstance(found.value, Busy)


def test_a_restart_on_a_busy_machine_is_late_and_still_one() -> None:
    looks = itertools.count()

    class Busy(Kubelet):
        def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
            if self.failed and kind == "Pod" and "-copy-" in name and next(looks) > late:
                restarted(self.stored[kind, namespace, name])
            return super().get(kind, name, namespace)

    tried = trial()
    late = tried.limit / acting.STEP + 1
    assert run(Busy(untouched), tried).passed
    assert next(looks) > late


def test_a_probe_that_the_course_cannot_ask_is_tried_too() -> None:
    told = {"httpGet": None, "exec": {"command": ["check"]}}
    assert run(Kubelet(restarted), trial(**told)).passed
    proof = run(Kubelet(untouched), trial(**told))
    assert (proof.reason, proof.found) == ("not-restarted", "an unhealthy copy is not restarted")


def test_one_late_answer_of_a_healthy_copy_is_asked_again() -> None:
    class Late(Kubelet):
        asked = 0

        def reply(self, question: Any) -> list[Object]:
            self.asked += question["url"].endswith("/healthz")
            if self.asked == 1:
                return [{"status": None, "reason": "timeout", "error": "no answer in 10 s"}]
            return super().reply(question)

    assert run(Late(restarted), trial()).passed


def impatient(message: str, slow: float = 0.0) -> Kubelet:
    """A cluster whose kubelet restarts a healthy copy, and says why.

    Its container had begun `slow` seconds after the copy was placed.
    """

    class Impatient(Kubelet):
        def create(self, kind: str, body: Object, namespace: str | None = None) -> Object:
            made = super().create(kind, body, namespace)
            if kind == "Pod":
                restarted(made)
                (status,) = made["status"]["containerStatuses"]
                status["lastState"] = {"terminated": {"startedAt": stamp(PLACED + slow)}}
                about = {"name": made["metadata"]["name"]}
                event = {"metadata": {"name": "late"}, "reason": "Unhealthy", "message": message}
                self.put("Event", event | {"involvedObject": about}, NAMESPACE)
            return made

    return Impatient(untouched)


def test_a_healthy_copy_that_the_kubelet_got_no_answer_of_in_time_costs_nothing() -> None:
    with pytest.raises(EnvironmentFault, match="too much to do"):
        run(impatient("Liveness probe failed: context deadline exceeded"), trial())


PLACED = seconds(pod()["status"]["startTime"]) or 0.0
SHUT = "Liveness probe failed: dial tcp 10.0.0.1:8080: connect: connection refused"


def test_a_copy_that_was_asked_before_a_slow_machine_had_begun_it_costs_nothing() -> None:
    with pytest.raises(Busy, match="too much to do"):
        run(impatient(SHUT, slow=10.0), trial())
    assert run(impatient(SHUT, slow=1.0), trial()).reason == "restarted-healthy"


def test_a_copy_that_was_restarted_before_it_was_asked_shows_its_wrong_probe_too() -> None:
    proof = run(impatient(SHUT), trial(httpGet={"path": "/healthz", "port": 9090}))
    assert proof.reason == "wrong-liveness-probe"
    assert proof.found.startswith("a healthy copy fails its probe on :9090/healthz")


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        (1, "Readiness probe failed", None),
        (1, SHUT, "restarted-healthy"),
        (143, "Readiness probe failed", "restarted-healthy"),
        (0, "Readiness probe failed", "restarted-healthy"),
    ],
)
def test_a_copy_that_ends_with_an_error_before_any_probe_failed_is_no_fault_of_the_probe(
    code: int, message: str, reason: str | None
) -> None:
    cluster = impatient(message)
    create = cluster.create

    def made(kind: str, body: Object, namespace: str | None = None) -> Object:
        found = create(kind, body, namespace)
        if kind == "Pod":
            found["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] = code
        return found

    cluster.create = made  # type: ignore[method-assign]
    if reason:
        assert run(cluster, trial()).reason == reason
        return
    with pytest.raises(EnvironmentFault, match=r"ended by itself \(exit code 1\)"):
        run(cluster, trial())


def test_a_copy_that_is_restarted_while_it_is_asked_costs_nothing() -> None:
    class Midway(Kubelet):
        asked = 0

        def reply(self, question: Any) -> list[Object]:
            self.asked += question["url"].endswith("/healthz")
            if not 0 < self.asked <= liveness.TRIES:
                return super().reply(question)
            for (kind, _, name), body in list(self.stored.items()):
                if kind == "Pod" and "-copy-" in name:
                    restarted(body)
                    event = {"metadata": {"name": "late"}, "reason": "Unhealthy"}
                    about = {"involvedObject": {"name": name}, "message": "Client.Timeout exceeded"}
                    self.put("Event", event | about, NAMESPACE)
            return [{"status": None, "reason": "refused", "error": "the connection is refused"}]

    with pytest.raises(EnvironmentFault, match="too much to do"):
        run(Midway(untouched), trial())


def test_a_healthy_copy_that_its_probe_restarts_is_refused() -> None:
    for message in ("Liveness probe failed: HTTP probe failed with statuscode: 404", "Started"):
        assert run(impatient(message), trial()).reason == "restarted-healthy"


def test_a_question_that_takes_longer_than_the_probe_waits_is_the_learners_fault() -> None:
    cluster = impatient("Liveness probe failed: context deadline exceeded")
    cluster.answer = lambda _: [{"status": 200, "seconds": 5.0}]
    assert run(cluster, trial()).reason == "restarted-healthy"


@pytest.mark.parametrize("busy", [True, False])
def test_who_answers_late_after_a_restart_may_be_on_a_busy_machine(busy: bool) -> None:
    late = {"status": None, "reason": "timeout", "error": "no answer"}

    def answer(question: Any) -> list[Object]:
        if question["url"] == replacing.CONTROL:
            return [late if busy else {"status": 200}] * question["count"]
        return [{"status": 200, "seconds": 5.0}]

    cluster = impatient("Liveness probe failed: context deadline exceeded")
    cluster.answer = answer
    if busy:
        with pytest.raises(Busy, match="too busy"):
            run(cluster, trial())
    else:
        assert run(cluster, trial()).reason == "restarted-healthy"
