"""Services as a check reads them: each fault has its reason."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import shop
from fakes import COURSE, Clock, FakeCluster
from shop import NAMESPACE

from kubelab import acting, evidence, history, labs, replacing, settled
from kubelab.checking import LabView
from kubelab.errors import Busy
from kubelab.history import Owner, PodRecord
from kubelab.objects import Object, seconds, stamp
from kubelab.proofs import Proof
from kubelab.site import Site
from kubelab.snapshot import Snapshot
from kubelab.verdict import Judgement, judge
from kubelab.views import callers, services

LAB = labs.find(COURSE, "90")
PODS = ("web-1-a", "web-1-b", "web-1-c")
BEHIND = {f"10.0.0.{number}": name for number, name in enumerate(PODS, 1)}
LATE = {"status": None, "reason": "timeout", "error": "no answer"}


@pytest.fixture
def cluster() -> FakeCluster:
    found = FakeCluster(Site())
    shop.deployment(found, "web", 3, {"app": "web"})
    found.put("Service", shop.service(), NAMESPACE)
    found.put("EndpointSlice", shop.slice_of("web", BEHIND), NAMESPACE)
    found.answer = shop.answering(*PODS)
    return found


@pytest.fixture
def view(cluster: FakeCluster) -> Iterator[LabView]:
    snapshot = Snapshot(cluster, NAMESPACE)  # type: ignore[arg-type]
    yield LabView(cluster, LAB, LAB.task("90.1"), snapshot)  # type: ignore[arg-type]
    snapshot.close()


def judged(view: LabView) -> Judgement:
    def check() -> None:
        service, web = view.service("web"), view.members("web")
        assert service.has_address
        assert service.selects
        assert service.hand_made == 0
        assert web.ready >= 3
        answers = service.answers(80, web)
        assert answers.some
        assert answers.strangers == 0
        assert answers.silent == 0
        assert answers.lost == 0

    return judge(check, view, 0.2)


def test_a_service_that_reaches_all_pods_passes(view: LabView) -> None:
    assert judged(view).verdict == "pass"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"clusterIP": "None"}, "no-cluster-ip"),
        ({"type": "ExternalName", "clusterIP": None}, "no-cluster-ip"),
        ({"selector": {}}, "no-selector"),
        ({"ports": [{"port": 8080}]}, "wrong-port"),
    ],
)
def test_what_is_written_wrong_is_told_without_asking(
    cluster: FakeCluster, view: LabView, change: dict[str, Any], reason: str
) -> None:
    cluster.put("Service", shop.service(**change), NAMESPACE)
    cluster.answer = None
    found = judged(view)
    assert (found.verdict, found.reason) == ("fail", reason)


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((None,), "wrong-target-port"),
        ((*PODS, "preview-1-a"), "extra-endpoints"),
        (PODS[:2], "missing-endpoints"),
        ((*PODS, None), "no-answer"),
    ],
)
def test_who_answers_decides(
    cluster: FakeCluster, view: LabView, answers: tuple[str | None, ...], reason: str
) -> None:
    cluster.answer = shop.answering(*answers)
    found = judged(view)
    assert (found.verdict, found.reason) == ("fail", reason)


def listening(asked: Any, *, refuses: bool = False) -> Any:
    """The same answers, and each address of an EndpointSlice that accepts, or refuses."""

    def answer(question: dict[str, Any]) -> list[dict[str, Any]]:
        if question["kind"] == "tcp":
            return [{"ok": not refuses, "reason": "refused" if refuses else None}]
        return list(asked(question))

    return answer


@pytest.mark.parametrize(
    "answers",
    [(None,), PODS[:2], (*PODS, "gone-1-a"), (*PODS, None)],
    ids=["nobody", "few", "one-that-went", "one-lost"],
)
@pytest.mark.parametrize(
    ("age", "refuses", "verdict"),
    [(4.0, False, "not_yet"), (4.0, True, "fail"), (61.0, False, "fail")],
)
def test_a_node_that_follows_a_service_late_is_waited_for(
    cluster: FakeCluster,
    view: LabView,
    answers: tuple[str | None, ...],
    age: float,
    refuses: bool,
    verdict: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settled, "FOLLOWED", 60.0)
    body = shop.service()
    body["metadata"]["creationTimestamp"] = stamp(time.time() - age)
    cluster.put("Service", body, NAMESPACE)
    ports = {"ports": [{"port": 8080, "protocol": "TCP"}]}
    cluster.put("EndpointSlice", shop.slice_of("web", BEHIND) | ports, NAMESPACE)
    cluster.answer = listening(shop.answering(*answers), refuses=refuses)
    assert judged(view).verdict == verdict


@pytest.mark.parametrize(("age", "verdict"), [(4.0, "not_yet"), (61.0, "fail")])
def test_a_backend_that_has_just_come_back_may_be_found_later(
    cluster: FakeCluster,
    view: LabView,
    age: float,
    verdict: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its Pod was not ready for a moment; the node of the caller still refuses its address."""
    monkeypatch.setattr(settled, "FOLLOWED", 60.0)
    behind = shop.slice_of("web", BEHIND)
    behind["metadata"]["creationTimestamp"] = stamp(time.time() - age)
    cluster.put("EndpointSlice", behind, NAMESPACE)
    error = '{"error": "The backend http://web does not answer: Connection refused."}'
    cluster.answer = lambda question: [{"status": 502, "body": error}] * question["count"]

    def check() -> None:
        caller = view.caller("web", "kubelab/web", 8080)
        view.service("web")
        assert caller.backend == "web"

    found = judge(check, view, 0.2)
    assert (found.verdict, found.reason) == (verdict, "backend-not-found")


@pytest.mark.parametrize(
    ("name", "pod", "found"),
    [
        ("web", "web-1-a", "web"),
        ("kitchen", "web-1-a", "web"),
        ("kitchen", "stranger", "kitchen"),
        ("caller", "web-1-a", "caller"),
    ],
)
def test_a_backend_that_tells_another_name_is_known_by_its_pods(
    cluster: FakeCluster, view: LabView, name: str, pod: str, found: str
) -> None:
    body = json.dumps({"backend": {"name": name, "pod": pod}, "backend_url": "http://web"})
    cluster.answer = lambda question: [{"status": 200, "body": body}] * question["count"]
    shop.deployment(cluster, "caller", 1, {"app": "caller"})
    assert view.caller("web", "kubelab/web", 8080).backend.value == found


def test_a_slice_without_ports_is_waited_for_by_nobody(cluster: FakeCluster, view: LabView) -> None:
    """Its Pods have no port of the name that the Service asks for."""
    body = shop.service()
    body["metadata"]["creationTimestamp"] = stamp(time.time() - 4.0)
    cluster.put("Service", body, NAMESPACE)
    cluster.answer = shop.answering(None)
    found = judged(view)
    assert (found.verdict, found.reason) == ("fail", "wrong-target-port")


def test_a_name_that_dns_did_not_tell_in_time_is_asked_again(
    cluster: FakeCluster, view: LabView
) -> None:
    unnamed = {"reason": "name", "error": "the name can't be resolved"}
    asked: list[int] = []

    def answer(question: dict[str, Any]) -> list[dict[str, Any]]:
        asked.append(question["count"])
        found = shop.answering(*PODS)(question)
        return [unnamed, *found[1:]] if len(asked) < 4 else found

    cluster.answer = answer
    assert judged(view).verdict == "pass"
    assert asked == [replacing.FIRST, replacing.MORE, replacing.AGAIN, 1]


def test_one_client_at_one_pod_is_told_as_affinity(cluster: FakeCluster, view: LabView) -> None:
    cluster.put("Service", shop.service(sessionAffinity="ClientIP"), NAMESPACE)
    cluster.answer = shop.answering(PODS[0])
    assert judged(view).reason == "session-affinity"


def test_pods_of_another_that_refuse_are_the_wrong_ones(
    cluster: FakeCluster, view: LabView
) -> None:
    """Their port is right for them: it is the selector that is not."""
    cluster.put("Service", shop.service(selector={"app": "redis"}), NAMESPACE)
    cluster.put("Pod", shop.pod("redis-1-a", 8, {"app": "redis"}), NAMESPACE)
    cluster.put("EndpointSlice", shop.slice_of("web", {"10.0.0.8": "redis-1-a"}), NAMESPACE)
    cluster.answer = listening(shop.answering(None), refuses=True)
    found = judged(view)
    assert (found.verdict, found.reason) == ("fail", "extra-endpoints")
    assert found.rows[-1].found == "leads to redis-1-a alone"


def test_what_was_proved_of_a_service_counts_for_the_template_that_it_fits(
    cluster: FakeCluster, view: LabView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal is not believed any more where the Deployment was mended."""
    made: list[str] = []

    def follows(*arguments: Any) -> Proof:
        made.append(arguments[-1])
        return Proof(arguments[-1], len(made) > 1, "not-followed", "wanted", "found", time.time())

    monkeypatch.setattr(replacing, "follows", follows)

    def check() -> None:
        assert view.service("web").follows(view.members("web"), 80)

    assert judge(check, view, 0.2).reason == "not-followed"
    assert judge(check, view, 0.2).reason == "not-followed"
    body = cluster.get("Deployment", "web", NAMESPACE)
    assert body is not None
    body["spec"]["template"]["metadata"] = {"labels": {"app": "web"}}
    cluster.put("Deployment", body, NAMESPACE)
    view.snapshot.__init__(cluster, NAMESPACE)  # type: ignore[misc]
    assert judge(check, view, 0.2).verdict == "pass"
    assert len(made) == 2


def test_a_slice_by_hand_is_refused(cluster: FakeCluster, view: LabView) -> None:
    more = shop.slice_of("web", {"10.0.0.9": ""}, by="kubectl")
    cluster.put("EndpointSlice", more, NAMESPACE)
    assert judged(view).reason == "endpoints-by-hand"


def test_a_label_that_was_put_on_pods_by_hand_is_no_new_pods(
    cluster: FakeCluster, view: LabView
) -> None:
    for name in PODS:
        body = cluster.get("Pod", name, NAMESPACE)
        assert body is not None
        body["metadata"]["labels"] = {"app": "web", "pod-template-hash": "1", "mine": "yes"}
        cluster.put("Pod", body, NAMESPACE)
    body = cluster.get("Deployment", "web", NAMESPACE)
    assert body is not None
    body["spec"]["template"]["metadata"] = {"labels": {"app": "web"}}
    cluster.put("Deployment", body, NAMESPACE)
    assert view.members("web").labels == {"app": "web", "pod-template-hash": "1"}


def test_pods_may_take_the_name_that_they_tell_from_a_config_map(
    cluster: FakeCluster, view: LabView
) -> None:
    for number, name in enumerate(PODS, 1):
        body = shop.pod(name, number, {"app": "web"}, of="web-1")
        body["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "settings"}}]
        cluster.put("Pod", body, NAMESPACE)
    settings = {"metadata": {"name": "settings"}, "data": {"POD_NAME": "shop"}}
    cluster.put("ConfigMap", settings, NAMESPACE)
    cluster.answer = shop.answering("shop")
    assert judged(view).verdict == "pass"


@pytest.mark.parametrize(("ready", "reason"), [(3, None), (2, "missing-endpoints")])
def test_of_pods_that_tell_one_name_those_behind_the_service_count(
    cluster: FakeCluster, view: LabView, ready: int, reason: str | None
) -> None:
    for number, name in enumerate(PODS, 1):
        body = shop.pod(name, number, {"app": "web"}, of="web-1")
        body["spec"]["hostname"] = "web"
        cluster.put("Pod", body, NAMESPACE)
    several = list(BEHIND.items())
    slice_ = shop.slice_of("web", dict(several[:ready]), dict(several[ready:]))
    cluster.put("EndpointSlice", slice_, NAMESPACE)
    cluster.answer = shop.answering("web")
    assert judged(view).reason == reason


def test_how_many_pods_answer_is_told(cluster: FakeCluster, view: LabView) -> None:
    cluster.answer = shop.answering(*PODS[:2])

    def check() -> None:
        assert view.service("web").answers(80, view.members("web")).reached >= 3

    found = judge(check, view, 0.2)
    assert (found.verdict, found.reason) == ("fail", "missing-endpoints")


@pytest.mark.parametrize(("answers", "lost"), [(PODS, 0), ((*PODS, None), 15), ((PODS[0], ""), 30)])
def test_every_request_has_to_get_the_page(
    cluster: FakeCluster, view: LabView, answers: tuple[str | None, ...], lost: int
) -> None:
    cluster.answer = shop.answering(*answers)
    assert view.shares("web", "kubelab/web").lost(80) == lost


def test_what_came_late_is_asked_again(cluster: FakeCluster, view: LabView) -> None:
    late = [{"status": None, "reason": "timeout", "error": "no answer within 5 s"}]
    good = shop.answering(*PODS)
    asked: list[int] = []

    def answer(question: dict[str, Any]) -> list[dict[str, Any]]:
        asked.append(question["count"])
        found: list[dict[str, Any]] = good(question)
        return found[1:] + late if len(asked) == 1 else found

    cluster.answer = answer
    assert view.shares("web", "kubelab/web").lost(80) == 0
    assert asked == [60, 60]


@pytest.mark.parametrize(
    ("age", "refuses", "verdict"),
    [(4.0, False, "not_yet"), (4.0, True, "fail"), (20.0, False, "fail")],
)
def test_a_node_that_follows_new_addresses_late_is_waited_for_by_shares_too(
    cluster: FakeCluster, view: LabView, age: float, refuses: bool, verdict: str
) -> None:
    body = shop.slice_of("web", BEHIND) | {"ports": [{"port": 8080, "protocol": "TCP"}]}
    body["metadata"]["creationTimestamp"] = stamp(time.time() - age)
    cluster.put("EndpointSlice", body, NAMESPACE)
    cluster.answer = listening(versions(PODS[:2]), refuses=refuses)

    def check() -> None:
        shares = view.shares("web", "kubelab/web")
        assert shares.lost(80) == 0
        assert shares.answering(80, ("1.0", "2.0")) == ("1.0", "2.0")

    assert judge(check, view, 0.2).verdict == verdict


def versions(pods: tuple[str, ...]) -> Any:
    """The same as `shop.answering`, by Pods that tell their version."""
    asked = shop.answering(*pods)

    def answer(question: Object) -> list[Object]:
        found = asked(question)
        for one in found:
            one["headers"]["x-web-version"] = "1.0"
        return found

    return answer


@pytest.mark.parametrize(
    ("late", "busy", "told"),
    [(1, True, "1.0"), (9, True, None), (9, False, "image 1.0 that answers nothing")],
)
def test_a_pod_that_told_its_version_late_is_asked_again(
    cluster: FakeCluster, view: LabView, late: int, busy: bool, told: str | None
) -> None:
    """The last of three Pods misses so many questions."""
    missed: list[float] = []

    def answer(question: Object) -> list[Object]:
        if question["url"] == replacing.CONTROL:
            return [LATE if busy else {"status": 200}] * question["count"]
        if "10.0.0.3" in question["url"] and len(missed) < late:
            missed.append(question["timeout"])
            return [LATE]
        return [{"status": 200, "body": '{"version": "1.0"}'}]

    cluster.answer = answer
    shares = view.shares("web", "kubelab/web")
    if told is None:
        with pytest.raises(Busy, match="too busy"):
            shares.versions(80)
        return
    found = shares.versions(80).value
    assert found == ({"1.0": 3} if told == "1.0" else {"1.0": 2, told: 1})
    assert missed == ([5.0] if late == 1 else [5.0, replacing.PATIENCE])


def test_a_helper_of_the_pages_image_gives_no_version(cluster: FakeCluster, view: LabView) -> None:
    """It stands first, at a port of its own; what the page answers is the page's version."""
    helper = {"name": "numbers", "image": "kubelab/web:2.0", "ports": [{"containerPort": 9100}]}
    for name in PODS:
        pod = cluster.stored["Pod", NAMESPACE, name]
        pod["spec"]["containers"].insert(0, helper)
    cluster.answer = lambda _: [{"status": 200, "body": '{"version": "1.0"}'}]
    assert view.shares("web", "kubelab/web").versions(80).value == {"1.0": 3}


@pytest.mark.parametrize("busy", [True, False])
def test_pods_that_give_no_page_may_be_a_busy_machines(
    cluster: FakeCluster, view: LabView, busy: bool
) -> None:
    refused = shop.answering(None)

    def answer(question: Object) -> list[Object]:
        if question["url"] == replacing.CONTROL:
            return [LATE if busy else {"status": 200}] * question["count"]
        found: list[Object] = refused(question)
        return found

    cluster.answer = answer
    web = view.deployment("web", image="kubelab/web")
    if busy:
        with pytest.raises(Busy, match="too busy"):
            _ = web.answering
    else:
        assert web.answering.value == 0


@pytest.mark.parametrize("busy", [True, False])
def test_a_caller_that_finds_no_backend_may_be_a_busy_machines(
    cluster: FakeCluster, view: LabView, busy: bool
) -> None:
    """The Service was made again a moment ago, and no node has heard of it."""
    page = {"status": 502, "body": '{"error": "connection refused"}'}

    def answer(question: Object) -> list[Object]:
        asked_control = question["url"] == replacing.CONTROL
        return [(LATE if busy else {"status": 200}) if asked_control else page] * question["count"]

    cluster.answer = answer
    if busy:
        with pytest.raises(Busy, match="too busy"):
            callers.asked(view, "http://10.0.0.1:8080/backend")
    else:
        assert callers.asked(view, "http://10.0.0.1:8080/backend").status == 502


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://backend", None),
        ("http://127.0.0.1:9090", None),
        ("http://[::1]:9090", None),
        ("http://10.96.0.9", "fixed-address"),
        ("http://[fd00::9]", "fixed-address"),
        ("http://174063625", "fixed-address"),
    ],
)
def test_a_caller_names_its_backend_or_asks_beside_itself(
    cluster: FakeCluster, view: LabView, url: str, reason: str | None
) -> None:
    page = {"status": 200, "body": f'{{"backend_url": "{url}", "backend": {{"name": "web"}}}}'}
    cluster.answer = lambda question: [page] * question["count"]

    def check() -> None:
        assert view.caller("web", "kubelab/web", 8080).by_name

    assert judge(check, view, 0.2).reason == reason


def test_the_port_behind_a_services_port_is_told_by_its_name(
    cluster: FakeCluster, view: LabView
) -> None:
    ports = [{"name": "more", "port": 9000}, {"name": "http", "port": 80}]
    cluster.put("Service", shop.service(ports=ports), NAMESPACE)
    body = shop.slice_of("web", BEHIND)
    body["ports"] = [{"name": "more", "port": 9000}, {"name": "http", "port": 9090}]
    cluster.put("EndpointSlice", body, NAMESPACE)
    pod = cluster.get("Pod", PODS[0], NAMESPACE)
    assert pod is not None
    assert view.shares("web", "kubelab/web")._port(pod, 80) == 9090


def test_a_selector_with_a_slip_has_no_endpoints_and_a_near_miss(
    cluster: FakeCluster, view: LabView
) -> None:
    cluster.put("Service", shop.service(selector={"app": "wep"}), NAMESPACE)
    cluster.put("EndpointSlice", shop.slice_of("web", {}), NAMESPACE)
    found = judged(view)
    told = evidence.gather(view, found)
    assert found.reason == "no-endpoints"
    assert told.near == (f"the selector asks app=wep, and no Pod of {NAMESPACE} carries that",)
    assert told.chain[0].split()[:4] == ["Service", "web", "selector", "app=wep,"]
    assert told.chain[-1] == "└─ not selected: 3 Pods with app=web"


def test_the_chain_leads_from_service_to_pods(cluster: FakeCluster, view: LabView) -> None:
    cluster.answer = shop.answering(None)
    told = evidence.gather(view, judged(view))
    assert [line.split()[1] for line in told.chain[1:]] == ["EndpointSlice", "Pod", "Pod", "Pod"]
    assert told.chain[1].endswith("3 ready, 0 not ready")
    assert told.chain[-1].endswith("ready, port http/8080")


def test_a_request_that_is_lost_once_is_asked_again(cluster: FakeCluster) -> None:
    asked: list[int] = []

    def answer(question: dict[str, Any]) -> list[dict[str, Any]]:
        asked.append(question["count"])
        found = shop.answering(*PODS)(question)
        if question["count"] == replacing.MORE:
            found[0] = {"status": None, "reason": "timeout", "error": "no answer"}
        return found

    cluster.answer = answer
    answers = replacing.asked(cluster, "web", 80)  # type: ignore[arg-type]
    assert (answers.lost, answers.pods) == (0, PODS)
    assert asked == [replacing.FIRST, replacing.MORE, replacing.AGAIN]


def test_three_refusals_of_one_silent_pod_do_not_speak_for_the_others(
    cluster: FakeCluster,
) -> None:
    cluster.answer = shop.answering(*[None] * replacing.FIRST, *PODS)
    answers = replacing.asked(cluster, "web", 80)  # type: ignore[arg-type]
    assert answers.pods == PODS
    assert answers.lost > 0


@pytest.mark.parametrize("busy", [True, False])
def test_a_busy_machine_is_told_apart_from_a_silent_pod(
    cluster: FakeCluster, view: LabView, busy: bool
) -> None:
    late = {"status": None, "reason": "timeout", "error": "no answer"}

    def answer(question: dict[str, Any]) -> list[dict[str, Any]]:
        asked_control = question["url"] == replacing.CONTROL
        return [late if busy or not asked_control else {"status": 200}] * question["count"]

    cluster.answer = answer
    found = judged(view)
    assert found.verdict == ("env" if busy else "fail")
    assert found.reason == ("environment" if busy else "no-answer")


# What DNS tells


LOST: Object = {"ok": False, "reason": "timeout", "error": "no answer within 2 s"}
FAILED: Object = {"ok": False, "rcode": "SERVFAIL", "addresses": []}


def telling(*addresses: str) -> Object:
    return {"ok": bool(addresses), "rcode": "NOERROR", "addresses": list(addresses)}


def named(cluster: FakeCluster, view: LabView, *answers: Object) -> tuple[Judgement, int]:
    """The verdict where DNS gives these answers, the last one for ever; how often it was asked."""
    asked: list[Object] = []

    def answer(question: Object) -> list[Object]:
        asked.append(question)
        return [answers[min(len(asked), len(answers)) - 1]]

    def check() -> None:
        web = view.members("web")
        assert view.service("web").addresses(web) == web.addresses

    cluster.answer = answer
    return judge(check, view, 0.2), len(asked)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "DNS_TIMES", (0.0,) * 4)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    "first", [LOST, FAILED, telling(), telling(*BEHIND, "10.0.0.9")], ids=lambda one: str(one)[:30]
)
def test_dns_that_is_late_once_is_asked_again(
    cluster: FakeCluster, view: LabView, first: Object
) -> None:
    found, asked = named(cluster, view, first, telling(*BEHIND))
    assert (found.verdict, asked) == ("pass", 2)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("answer", "words"),
    [(LOST, "does not answer in time"), (telling(), "is behind the EndpointSlices")],
)
def test_dns_that_stays_late_costs_nothing(
    cluster: FakeCluster, view: LabView, answer: Object, words: str
) -> None:
    found, asked = named(cluster, view, answer)
    assert (found.verdict, found.message) == ("env", f"The cluster's DNS {words}.")
    assert asked == len(services.DNS_TIMES)


@pytest.mark.usefixtures("at_once")
def test_dns_is_believed_at_once_where_the_slices_are_wrong_already(
    cluster: FakeCluster, view: LabView
) -> None:
    few = dict(list(BEHIND.items())[:2])
    cluster.put("EndpointSlice", shop.slice_of("web", few), NAMESPACE)
    for answer, reason in ((telling(*few), "missing-endpoints"), (telling(), "no-endpoints")):
        found, asked = named(cluster, view, answer)
        assert (found.verdict, found.reason, asked) == ("fail", reason, 1)
        for first in (LOST, FAILED):
            found, asked = named(cluster, view, first, answer)
            assert (found.verdict, found.reason, asked) == ("fail", reason, 2)


# One Pod out of its Service


def record(name: str, **changes: Any) -> PodRecord:
    found = PodRecord(
        uid=f"uid-{name}",
        name=name,
        created=1.0,
        node=None,
        ip=None,
        restarts=0,
        version="1.0",
        deployment=Owner("Deployment", "web", "uid-web"),
        deleting=None,
        gone=None,
        labels_over_time=((1.0, {"app": "web"}),),
        owners=((1.0, Owner("ReplicaSet", "web-1", "uid-web-1")),),
        images_over_time=(),
        ready=((2.0, True),),
    )
    return replace(found, **changes)


OUT = record("out", labels_over_time=((1.0, {"app": "web"}), (9.0, {"app": "aside"})))


@pytest.fixture
def taken_out(cluster: FakeCluster, view: LabView, monkeypatch: pytest.MonkeyPatch) -> Any:
    def found(*records: PodRecord) -> Judgement:
        monkeypatch.setattr(history, "pods", lambda *_: records)

        def check() -> None:
            service, web = view.service("web"), view.members("web")
            assert view.taken_out(service.answers(80, web)).some

        return judge(check, view, 0.2)

    return found


def test_a_pod_that_lost_its_label_and_lives_is_out(cluster: FakeCluster, taken_out: Any) -> None:
    cluster.put("Pod", shop.pod("out", 9, {"app": "aside"}), NAMESPACE)
    assert taken_out(OUT).verdict == "pass"


def test_nobody_out_is_told(taken_out: Any) -> None:
    assert taken_out(*map(record, PODS)).reason == "none-out"


def test_a_pod_that_never_belonged_to_the_deployment_does_not_count(
    cluster: FakeCluster, taken_out: Any
) -> None:
    cluster.put("Pod", shop.pod("out", 9, {"app": "aside"}), NAMESPACE)
    stranger = replace(OUT, deployment=None, owners=((1.0, None),))
    assert taken_out(stranger).reason == "none-out"


@pytest.mark.parametrize(
    ("manager", "verdict"), [("kube-controller-manager", "pass"), ("kubectl", "fail")]
)
def test_where_the_record_begins_too_late_the_maker_of_the_pod_counts(
    cluster: FakeCluster, taken_out: Any, manager: str, verdict: str
) -> None:
    body = shop.pod("out", 9, {"app": "aside"})
    fields = {"f:metadata": {"f:generateName": {}}}
    more = {"generateName": "web-1-", "managedFields": [{"manager": manager, "fieldsV1": fields}]}
    body["metadata"] |= more
    cluster.put("Pod", body, NAMESPACE)
    late = replace(OUT, deployment=None, owners=((9.0, None),))
    assert taken_out(late).verdict == verdict


def test_another_pod_of_the_same_name_does_not_count(cluster: FakeCluster, taken_out: Any) -> None:
    cluster.put("Pod", shop.pod("out", 9, {"app": "aside"}), NAMESPACE)
    assert taken_out(replace(OUT, uid="uid-before", gone=9.0)).reason == "none-out"


@pytest.mark.parametrize("there", [False, True], ids=["gone", "ending"])
def test_a_pod_that_was_taken_out_and_ended_is_named(
    cluster: FakeCluster, taken_out: Any, there: bool
) -> None:
    if there:
        body = shop.pod("out", 9, {"app": "aside"})
        body["metadata"]["deletionTimestamp"] = shop.LONG_AGO
        cluster.put("Pod", body, NAMESPACE)
    found = taken_out(replace(OUT, deleting=8.0, gone=None if there else 12.0))
    assert found.reason == "none-out"
    assert found.rows[-1].found == "out was taken out and has ended"


def test_a_pod_that_ended_with_its_labels_was_not_taken_out(taken_out: Any) -> None:
    found = taken_out(record("out", deleting=8.0, gone=12.0))
    assert found.reason == "none-out"
    assert found.rows[-1].found == "each Pod of web gets requests"


STARTED = seconds(shop.LONG_AGO) or 0.0


@pytest.mark.parametrize(
    ("left", "verdict"),
    [(9.0, "fail"), (STARTED + 4.0, "fail"), (STARTED + 9.0, "pass"), (9e12, "pass")],
)
def test_a_restart_counts_after_the_pod_had_left_alone(
    cluster: FakeCluster, taken_out: Any, left: float, verdict: str
) -> None:
    body = shop.pod("out", 9, {"app": "aside"})
    body["status"]["containerStatuses"][0]["restartCount"] = 1
    cluster.put("Pod", body, NAMESPACE)
    labels = ((1.0, {"app": "web"}), (left, {"app": "aside"}))
    found = taken_out(replace(OUT, labels_over_time=labels))
    assert found.verdict == verdict
    assert found.reason == ("restarted" if verdict == "fail" else None)


def test_a_container_that_its_node_could_not_start_at_once_was_not_restarted(
    cluster: FakeCluster, taken_out: Any
) -> None:
    body = shop.pod("out", 9, {"app": "aside"})
    failed = {"terminated": {"exitCode": 128, "reason": "StartError"}}
    body["status"]["containerStatuses"][0] |= {"restartCount": 1, "lastState": failed}
    cluster.put("Pod", body, NAMESPACE)
    assert taken_out(OUT).verdict == "pass"


def test_a_restart_is_told_with_its_exit_code(cluster: FakeCluster, taken_out: Any) -> None:
    body = shop.pod("out", 9, {"app": "aside"})
    again = {"restartCount": 1, "lastState": {"terminated": {"exitCode": 137}}}
    body["status"]["containerStatuses"][0] |= again
    cluster.put("Pod", body, NAMESPACE)
    assert taken_out(OUT).rows[-1].found == "out is out and was started again after exit code 137"


# What acting tells


@pytest.mark.parametrize(
    ("labels", "reason"), [({"app": "other"}, "not-followed"), ({"app": "web"}, None)]
)
def test_no_busy_machine_is_to_blame_for_a_pod_that_the_selector_leaves_out(
    cluster: FakeCluster,
    monkeypatch: pytest.MonkeyPatch,
    labels: dict[str, str],
    reason: str | None,
) -> None:
    """The replacement has the labels of the template: asked again, the Pods would be too few."""
    late = {"status": None, "reason": "timeout", "error": "no answer"}
    for name in ("FOLLOWED", "LATE", "STEP"):
        monkeypatch.setattr(replacing, name, 0.0)
    monkeypatch.setattr(replacing, "replaced", lambda *_: (*PODS[1:], "web-1-d"))
    monkeypatch.setattr(replacing, "asked", lambda *_: replacing.Answers(PODS[1:], 0, 9))
    cluster.answer = lambda question: [late] * question["count"]
    new = shop.pod("web-1-d", 4, labels)
    new["metadata"]["uid"] = "uid-d"
    monkeypatch.setattr(replacing, "pods_of", lambda *_: [new])
    trial = replacing.Trial("web", "web", 80)
    if reason is None:
        with pytest.raises(Busy):
            replacing.follows(cluster, NAMESPACE, trial, "key")  # type: ignore[arg-type]
        return
    proof = replacing.follows(cluster, NAMESPACE, trial, "key")  # type: ignore[arg-type]
    assert (proof.passed, proof.reason) == (False, reason)


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ({"app": "other"}, "web-1-d answers nothing after one Pod was replaced"),
        ({"app": "web"}, replacing.WANTED),
    ],
)
def test_a_pod_that_is_left_out_is_not_hidden_by_others_that_tell_its_name(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, labels: dict[str, str], found: str
) -> None:
    monkeypatch.setattr(replacing, "replaced", lambda *_: ("web", "web", "web"))
    monkeypatch.setattr(replacing, "asked", lambda *_: replacing.Answers(("web",), 0, 9))
    new = shop.pod("web-1-d", 4, labels)
    new["metadata"]["uid"] = "uid-d"
    monkeypatch.setattr(replacing, "pods_of", lambda *_: [new])
    trial = replacing.Trial("web", "web", 80)
    proof = replacing.follows(cluster, NAMESPACE, trial, "key")  # type: ignore[arg-type]
    assert (proof.passed, proof.found) == (found == replacing.WANTED, found)


@pytest.mark.parametrize(
    ("labels", "heard", "waited"),
    [
        ({"app": "web"}, 15.0, 15.0),
        ({"app": "web"}, 1e9, replacing.LATE),
        ({"app": "other"}, 15.0, replacing.FOLLOWED),
    ],
    ids=["late", "never", "left-out"],
)
def test_a_node_that_follows_a_new_pod_late_is_waited_for(
    cluster: FakeCluster,
    monkeypatch: pytest.MonkeyPatch,
    labels: dict[str, str],
    heard: float,
    waited: float,
) -> None:
    """Nobody waits for a Pod that the selector leaves out."""
    clock = Clock()
    for module in (replacing, acting):
        monkeypatch.setattr(module, "time", clock)
    new, began = "web-1-d", clock.now
    monkeypatch.setattr(replacing, "pods_of", lambda *_: [shop.pod(new, 4, labels)])

    def asked(*_: Any) -> replacing.Answers:
        return replacing.Answers((new,) if clock.now - began >= heard else (), 0, 9)

    monkeypatch.setattr(replacing, "asked", asked)
    holder, trial = acting.Holder(cluster, NAMESPACE), replacing.Trial("web", "web", 80)  # type: ignore[arg-type]
    answers = replacing.reached(holder, trial, (new,))
    spent = clock.now - began
    assert waited <= spent <= waited + 1.0
    assert bool(replacing.fault(answers, (new,), trial)) == (waited != heard)


def test_a_pod_that_nobody_replaced_in_time_may_be_tried_once_more(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    for module in (replacing, acting):
        monkeypatch.setattr(module, "time", clock)
    with pytest.raises(Busy, match="was not replaced within"):
        replacing.follows(cluster, NAMESPACE, replacing.Trial("web", "web", 80), "key")  # type: ignore[arg-type]


@pytest.mark.parametrize(("preparing", "leaving"), [(0.0, 0.0), (80.0, 0.0), (0.0, 50.0)])
def test_a_new_pod_takes_as_long_as_the_old_ones_did_and_waits_for_its_place(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, preparing: float, leaving: float
) -> None:
    clock = Clock()
    for module in (replacing, acting):
        monkeypatch.setattr(module, "time", clock)
    began, old = clock.now, shop.pod("web-1-a", 1, {})
    old["metadata"]["uid"] = "old"
    monkeypatch.setattr(replacing, "start_time", lambda _: preparing)
    monkeypatch.setattr(replacing, "leaving", lambda *_: clock.now - began < leaving)
    late = began + replacing.REPLACED + preparing + leaving - 5
    new = shop.pod("web-1-d", 4, {})
    monkeypatch.setattr(replacing, "pods_of", lambda *_: [new] if clock.now >= late else [])
    holder, trial = acting.Holder(cluster, NAMESPACE), replacing.Trial("web", "web", 80)  # type: ignore[arg-type]
    assert replacing.replaced(holder, trial, replacing.uids([old]), [old]) == ("web-1-d",)
    began = clock.now
    late = began + replacing.REPLACED + preparing + leaving + 5
    with pytest.raises(Busy, match="was not replaced within"):
        replacing.replaced(holder, trial, replacing.uids([old]), [old])


def test_a_proof_is_asked_for_once_per_service_and_spec(
    view: LabView, monkeypatch: pytest.MonkeyPatch
) -> None:
    acted: list[str] = []

    def follows(_: Any, __: str, ___: Any, key: str) -> Proof:
        acted.append(key)
        return Proof(key, True, at=acting.time.time())

    monkeypatch.setattr(replacing, "follows", follows)
    for _ in range(2):
        assert view.service("web").follows(view.members("web"), 80)
    assert len(acted) == 1


@pytest.mark.parametrize(
    ("pods", "lost", "words"),
    [
        (("a", "b"), 0, ""),
        (("a",), 0, "b answers nothing after one Pod was replaced"),
        (("a", "b", "old"), 0, "old answers after one Pod of web was replaced"),
        (("a", "b"), 2, "2 of 20 requests lost after one Pod was replaced"),
    ],
)
def test_after_a_pod_was_replaced_exactly_the_new_ones_answer(
    pods: tuple[str, ...], lost: int, words: str
) -> None:
    answers = replacing.Answers(pods, lost, 20)
    assert replacing.fault(answers, ("a", "b"), replacing.Trial("web", "web", 80)) == words
