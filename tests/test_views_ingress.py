"""Ingress, certificate and HTTPRoute as a check reads them: each fault has its reason."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import shop
from fakes import COURSE, FakeCluster
from shop import LONG_AGO, NAMESPACE
from test_routing import ingress, path

from kubelab import envoy, evidence, labs, replacing, settled
from kubelab.checking import LabView
from kubelab.errors import Busy
from kubelab.objects import Object, stamp
from kubelab.site import Site
from kubelab.snapshot import Snapshot
from kubelab.verdict import Judgement, judge
from kubelab.views import certificates, ingresses

LAB = labs.find(COURSE, "90")
HOST = f"shop.{NAMESPACE}.localhost"
WEB, API = path("/", "Prefix", "web"), path("/api", "Prefix", "api")
GOOD = ingress(WEB, API, host=HOST)


class Door:
    """A prober that asks an Envoy in which each path leads to a Pod, or to a bad answer."""

    def __init__(self) -> None:
        self.paths: dict[str, Object] = {"/": by("web-1-a"), "/api": by("api-1-a")}
        self.hosts = {HOST}
        self.shown: Object = {}
        self.asked: list[Object] = []

    def __call__(self, question: Object) -> list[Object]:
        self.asked.append(question)
        if question["kind"] == "tls":
            return [self.shown]
        host, _, rest = question["url"].partition("://")[2].partition("/")
        known = (
            self.paths.get(f"/{rest}", {"status": 404}) if host in self.hosts else {"status": 404}
        )
        found = known.get("turns", [known])
        return [found[number % len(found)] for number in range(question["count"])]


def by(*pods: str) -> Object:
    """The answers of some Pods in turn."""
    turns = [{"status": 200, "headers": {"x-web-pod": one}} for one in pods]
    return {"turns": turns}


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def cluster(door: Door) -> FakeCluster:
    found = FakeCluster(Site())
    for name in ("web", "api"):
        shop.deployment(found, name, 1, {"app": name})
        found.put("Service", shop.service(name, {"app": name}), NAMESPACE)
        found.put("EndpointSlice", shop.slice_of(name, {"10.0.0.1": f"{name}-1-a"}), NAMESPACE)
    found.put("Ingress", GOOD, NAMESPACE)
    found.answer = door
    return found


@pytest.fixture
def view(cluster: FakeCluster) -> Iterator[LabView]:
    snapshot = Snapshot(cluster, NAMESPACE)  # type: ignore[arg-type]
    yield LabView(cluster, LAB, LAB.task("90.1"), snapshot)  # type: ignore[arg-type]
    snapshot.close()


def paths(view: LabView) -> Judgement:
    def check() -> None:
        one = view.ingress("shop", "shop")
        assert one.answered("/api", "api") == "api"
        assert one.answered("/", "web") == "web"
        assert one.elsewhere == 404

    return judge(check, view, 0.2)


def test_every_path_at_its_service_passes(view: LabView, door: Door) -> None:
    assert paths(view).verdict == "pass"
    assert {one["connect"] for one in door.asked} == {f"{envoy.ENVOY}:80"}


@pytest.mark.parametrize(
    ("body", "answers", "reason"),
    [
        (ingress(WEB, API, host="shop.localhost"), None, "wrong-host"),
        (ingress(WEB, API, host=HOST, ingressClassName="nginx"), None, "wrong-class"),
        (ingress(WEB, host=HOST), by("web-1-a"), "wrong-backend"),
        (ingress(host=HOST), None, "wrong-host"),
        (ingress(path("/menu", "Prefix", "web"), host=HOST), None, "wrong-path"),
        (ingress(WEB, path("/api", "Prefix", "apis"), host=HOST), by("web-1-a"), "no-service"),
        (ingress(WEB, path("/api", "Prefix", "api", 8080), host=HOST), None, "wrong-port"),
    ],
)
def test_what_is_written_wrong_is_told_at_once(
    cluster: FakeCluster, view: LabView, door: Door, body: Object, answers: Any, reason: str
) -> None:
    cluster.put("Ingress", body, NAMESPACE)
    door.paths["/api"] = answers or {"status": 404}
    found = paths(view)
    assert (found.verdict, found.reason) == ("fail", reason)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"status": 404}, "not-routed"),
        ({"status": 503, "body": "upstream connect error. reset"}, "wrong-target-port"),
        ({"status": None, "reason": "reset", "error": "closed"}, "no-answer"),
        (by("web-1-a"), "wrong-backend"),
        (by("web-1-a", "api-1-a"), "wrong-backend"),
        (by("elsewhere"), "wrong-backend"),
    ],
)
def test_an_answer_decides_where_nothing_is_written_wrong(
    view: LabView, door: Door, answer: Object, reason: str
) -> None:
    door.paths["/api"] = answer
    found = paths(view)
    assert (found.verdict, found.reason) == ("fail", reason)


def test_no_ready_pod_is_told(cluster: FakeCluster, view: LabView, door: Door) -> None:
    cluster.put("EndpointSlice", shop.slice_of("api", {}), NAMESPACE)
    cluster.put("Pod", shop.pod("api-1-a", 1, {"app": "api"}, ready=False, of="api-1"), NAMESPACE)
    door.paths["/api"] = {"status": 503, "body": "no healthy upstream"}
    assert paths(view).reason == "no-endpoints"


@pytest.mark.parametrize("kind", ["Exact", "ImplementationSpecific"])
def test_the_type_of_a_path_is_told(
    cluster: FakeCluster, view: LabView, door: Door, kind: str
) -> None:
    cluster.put("Ingress", ingress(WEB, path("/api", kind, "api"), host=HOST), NAMESPACE)
    asked, wanted = ("/api/v1", "api") if kind == "Exact" else ("/apix", "web")
    door.paths[asked] = by("web-1-a" if wanted == "api" else "api-1-a")

    def check() -> None:
        assert view.ingress("shop", "shop").answered(asked, wanted) == wanted

    assert judge(check, view, 0.2).reason == "wrong-path-type"


def test_an_ingress_that_is_not_there_is_not_found(cluster: FakeCluster, view: LabView) -> None:
    cluster.delete("Ingress", "shop", NAMESPACE)
    assert paths(view).reason == "not-found"


@pytest.mark.parametrize(("pod", "reason"), [("web-1-a", "every-host"), ("other-namespace", None)])
def test_another_host_counts_where_the_learners_own_pods_answer(
    view: LabView, door: Door, pod: str, reason: str | None
) -> None:
    def other(question: Object) -> list[Object]:
        if "elsewhere" in question.get("url", ""):
            return by(pod)["turns"]
        return door(question)

    view.cluster.answer = other  # type: ignore[attr-defined]
    assert paths(view).reason == reason


def test_another_host_is_asked_for_every_path_that_a_loose_rule_takes(
    cluster: FakeCluster, view: LabView, door: Door
) -> None:
    loose = ingress(path("/api", "Prefix", "api"), host=None, name="loose")
    cluster.put("Ingress", loose, NAMESPACE)
    door.hosts.add(f"elsewhere.{NAMESPACE}.localhost")
    door.paths["/"] = {"status": 404}
    found = judge(lambda: check_elsewhere(view), view, 0.2)
    assert (found.reason, found.rows[-1].found) == ("every-host", "another host gets 200")


def test_an_expression_without_a_host_takes_requests_to_every_host(
    cluster: FakeCluster, view: LabView
) -> None:
    rule = path("/v[0-9]+", "ImplementationSpecific", "api")
    cluster.put("Ingress", ingress(rule, host=None, name="loose"), NAMESPACE)
    found = judge(lambda: check_elsewhere(view), view, 0.2)
    assert (found.reason, found.rows[-1].found) == (
        "every-host",
        "another host gets what /v[0-9]+ takes",
    )


@pytest.mark.parametrize("kind", ["HTTPRoute", "HTTPProxy"])
def test_an_expression_of_another_kind_takes_requests_to_every_host(
    cluster: FakeCluster, view: LabView, kind: str
) -> None:
    odd = {"path": {"type": "RegularExpression", "value": "/(menu|card)"}}
    body = route(ref("web"), host=f"*.{NAMESPACE}.localhost")
    body["spec"]["rules"][0]["matches"] = [odd]
    if kind == "HTTPProxy":
        body = proxy(f"*.{NAMESPACE}.localhost", "/")
        body["spec"]["routes"][0]["conditions"] = [{"regex": "/(menu|card)"}]
    cluster.put(kind, body | {"metadata": {"name": "more"}}, NAMESPACE)
    found = judge(lambda: check_elsewhere(view), view, 0.2)
    assert (found.reason, found.rows[-1].found) == (
        "every-host",
        "another host gets what /(menu|card) takes",
    )


def test_an_expression_that_is_a_path_is_asked_for(cluster: FakeCluster, view: LabView) -> None:
    body = proxy(HOST, "/")
    body["spec"]["routes"][0]["conditions"] = [{"regex": "/api/orders"}]
    cluster.put("HTTPProxy", body, NAMESPACE)
    below, _ = view.ingress("shop", "shop").named("/api")
    assert "/api/orders" in below


def test_the_paths_that_rules_name_are_told_apart(cluster: FakeCluster, view: LabView) -> None:
    odd = path("/api/orders", "Exact", "web"), path("/a[0-9]", "ImplementationSpecific", "web")
    apart = ingress(path("/else", "Prefix", "web"), host="else.localhost", name="apart")
    cluster.put("Ingress", ingress(WEB, API, *odd, host=HOST), NAMESPACE)
    cluster.put("Ingress", apart, NAMESPACE)
    below, beside = view.ingress("shop", "shop").named("/api")
    assert below[::2] == ["/api", "/api/orders"]
    assert beside[::2] == ["/"]
    assert below[1].startswith("/api/")
    assert below[3].startswith("/api/orders/")


@pytest.mark.parametrize("odd", ["/käse", "/two words", "/a?b"])
def test_what_no_url_holds_is_not_asked_for(
    cluster: FakeCluster, view: LabView, door: Door, odd: str
) -> None:
    """The prober would refuse such a question, or ask for another path."""
    body = ingress(WEB, API, path(odd, "Prefix", "web"), host=HOST)
    cluster.put("Ingress", body, NAMESPACE)
    loose = ingress(path(odd, "Prefix", "web"), host=None, name="loose")
    cluster.put("Ingress", loose, NAMESPACE)
    _, beside = view.ingress("shop", "shop").named("/api")
    assert beside[::2] == ["/"]
    assert judge(lambda: check_elsewhere(view), view, 0.2).reason == "every-host"
    assert {one["url"].rpartition("/")[2] for one in door.asked} == {""}


def proxy(host: str, path: str) -> Object:
    routes = [{"conditions": [{"prefix": path}], "services": [{"name": "web", "port": 80}]}]
    spec = {"virtualhost": {"fqdn": host}, "routes": routes}
    return {"metadata": {"name": "more"}, "spec": spec}


def test_the_paths_that_others_name_for_the_host_are_asked_for_too(
    cluster: FakeCluster, view: LabView
) -> None:
    body = route(ref("web"))
    body["spec"]["rules"][0]["matches"] = [{"path": {"value": "/api/orders"}}]
    cluster.put("HTTPRoute", body | {"metadata": {"name": "more"}}, NAMESPACE)
    cluster.put("HTTPProxy", proxy(HOST, "/api/items"), NAMESPACE)
    apart = proxy("else.localhost", "/else")
    cluster.put("HTTPProxy", apart | {"metadata": {"name": "apart"}}, NAMESPACE)
    below, beside = view.ingress("shop", "shop").named("/api")
    assert below[::2] == ["/api", "/api/orders", "/api/items"]
    assert beside[::2] == ["/"]
    assert "httproute/more" in view.looked


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        (f"*.{NAMESPACE}.localhost", "every-host"),
        ("*.localhost", "every-host"),
        (HOST, None),
    ],
)
@pytest.mark.parametrize("status", [302, 500])
def test_another_host_counts_where_a_route_answers_for_it(
    cluster: FakeCluster, view: LabView, host: str, status: int, reason: str | None
) -> None:
    cluster.put("HTTPRoute", route(host=host) | {"metadata": {"name": "more"}}, NAMESPACE)

    def other(question: Object) -> list[Object]:
        return [{"status": status, "headers": {"location": f"http://{HOST}/"}}]

    cluster.answer = other
    assert judge(lambda: check_elsewhere(view), view, 0.2).reason == reason


def test_another_host_is_asked_for_every_path_that_a_route_takes(
    cluster: FakeCluster, view: LabView, door: Door
) -> None:
    host = f"elsewhere.{NAMESPACE}.localhost"
    cluster.put("HTTPProxy", proxy(host, "/api"), NAMESPACE)
    door.hosts.add(host)
    door.paths["/"] = {"status": 404}
    assert judge(lambda: check_elsewhere(view), view, 0.2).reason == "every-host"


def test_addresses_that_somebody_wrote_behind_a_rule_are_told(
    cluster: FakeCluster, view: LabView
) -> None:
    assert view.ingress("shop", "shop").hand_made == 0
    by_hand = shop.slice_of("web", {"10.0.0.9": ""}, by="kubectl")
    cluster.put("EndpointSlice", by_hand, NAMESPACE)
    snapshot = Snapshot(cluster, NAMESPACE)  # type: ignore[arg-type]
    fresh = LabView(cluster, LAB, LAB.task("90.1"), snapshot)  # type: ignore[arg-type]
    assert fresh.ingress("shop", "shop").hand_made == 1
    snapshot.close()


def check_elsewhere(view: LabView) -> None:
    assert view.ingress("shop", "shop").elsewhere == 404


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (WEB, None),
        (path("/other", "Prefix", "web"), "wrong-path"),
        (path("/", "Prefix", "web", 8080), "wrong-port"),
        (path("/", "Prefix", "nobody"), "no-service"),
        (path("/", "Prefix", "api"), "wrong-backend"),
    ],
)
def test_another_ingress_does_not_stand_in_for_the_one_that_is_asked_for(
    cluster: FakeCluster, view: LabView, rule: Object, reason: str | None
) -> None:
    cluster.put("Ingress", ingress(WEB, host=HOST, name="beside"), NAMESPACE)
    cluster.put("Ingress", ingress(rule, host=HOST), NAMESPACE)

    def check() -> None:
        assert view.ingress("shop", "shop").through("/", "web")

    assert judge(check, view, 0.2).reason == reason


@pytest.mark.parametrize(
    ("bodies", "reason"),
    [
        ([ingress(WEB, host=HOST, name="beside")], None),
        ([ingress(WEB, host=HOST, ingressClassName="nginx")], "wrong-class"),
        ([ingress(path("/other", "Prefix", "web"), host=HOST)], "wrong-path"),
        ([ingress(WEB, host="another.localhost")], "wrong-host"),
    ],
)
def test_what_answers_by_another_way_than_an_ingress_does_not_stand_in_for_one(
    cluster: FakeCluster, view: LabView, bodies: list[Object], reason: str | None
) -> None:
    for body in bodies:
        cluster.put("Ingress", body, NAMESPACE)

    def check() -> None:
        assert view.ingress("shop", "shop").through_any("/", "web")

    assert judge(check, view, 0.2).reason == reason


def test_a_stranger_counts_whom_no_request_has_met(
    cluster: FakeCluster, view: LabView, door: Door
) -> None:
    cluster.put("Pod", shop.pod("stranger", 1, {"app": "web"}), NAMESPACE)
    assert paths(view).reason == "wrong-backend"


def test_pods_may_take_the_name_that_they_tell_from_a_config_map(
    cluster: FakeCluster, view: LabView, door: Door
) -> None:
    body = shop.pod("api-1-a", 1, {"app": "api"}, of="api-1")
    body["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "settings"}}]
    cluster.put("Pod", body, NAMESPACE)
    settings = {"metadata": {"name": "settings"}, "data": {"POD_NAME": "api"}}
    cluster.put("ConfigMap", settings, NAMESPACE)
    door.paths["/api"] = by("api")
    assert paths(view).verdict == "pass"


def test_a_way_to_https_is_followed(view: LabView, door: Door) -> None:
    plain = door.paths["/api"]

    def moved(question: Object) -> list[Object]:
        if question["url"] == f"http://{HOST}/api":
            return [{"status": 301, "headers": {"location": f"https://{HOST}/api"}}]
        if question["url"].startswith("https"):
            assert question["connect"] == f"{envoy.ENVOY}:443"
            return plain["turns"] * question["count"]
        return door(question)

    view.cluster.answer = moved  # type: ignore[attr-defined]
    assert paths(view).verdict == "pass"


def test_a_closed_door_is_the_environments_fault(view: LabView, door: Door) -> None:
    door.paths["/api"] = {"status": None, "reason": "refused", "error": "the connection is refused"}
    found = paths(view)
    assert (found.verdict, "front door" in found.message) == ("env", True)


def test_a_busy_machine_is_told_apart(view: LabView, door: Door) -> None:
    late = {"status": None, "reason": "timeout", "error": "no answer"}

    def slow(question: Object) -> list[Object]:
        good = question.get("url") == replacing.CONTROL
        return [{"status": 200} if good else late] * question["count"]

    view.cluster.answer = slow  # type: ignore[attr-defined]
    assert paths(view).reason == "no-answer"


# What is written


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"tls": [{"hosts": [HOST], "secretName": "shop-tls"}]}, None),
        ({"tls": [{"secretName": "shop-tls"}]}, "no-tls"),
        ({}, "no-tls"),
        ({"tls": [{"hosts": [HOST]}], "ingressClassName": "nginx"}, "wrong-class"),
    ],
)
def test_a_tls_entry_has_to_name_the_host(
    cluster: FakeCluster, view: LabView, more: Object, reason: str | None
) -> None:
    cluster.put("Ingress", ingress(WEB, API, host=HOST, **more), NAMESPACE)

    def check() -> None:
        assert view.ingress("shop", "shop").secured

    assert judge(check, view, 0.2).reason == reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (GOOD, None),
        (ingress(WEB, host="other.localhost"), "wrong-host"),
        (ingress(WEB, host=HOST, ingressClassName="nginx"), "wrong-class"),
    ],
)
def test_the_ingress_itself_carries_the_host_and_is_served(
    cluster: FakeCluster, view: LabView, body: Object, reason: str | None
) -> None:
    cluster.put("Ingress", body, NAMESPACE)

    def check() -> None:
        one = view.ingress("shop", "shop")
        assert one.for_host
        assert one.served

    assert judge(check, view, 0.2).reason == reason


def test_many_requests_are_several_questions(view: LabView, door: Door) -> None:
    found = envoy.get(view.cluster, HOST, count=2 * envoy.MOST + 1)
    assert len(found) == 2 * envoy.MOST + 1
    assert [one["count"] for one in door.asked] == [envoy.MOST, envoy.MOST, 1]


def envoys(reason: str) -> Object:
    body = f"upstream connect error or disconnect/reset before headers. reset reason: {reason}"
    return {"status": 503, "body": body}


def losing(door: Door, answer: Object, *lost: int) -> Callable[[Object], list[Object]]:
    """The door's answers, of which so many of each question are replaced by this one."""
    left = list(lost)

    def ask_it(question: Object) -> list[Object]:
        found = door(question)
        few = left.pop(0) if left else 0
        return [answer] * few + found[few:]

    return ask_it


def test_what_envoy_lost_on_its_way_to_a_pod_is_asked_again(
    view: LabView, cluster: FakeCluster, door: Door
) -> None:
    cluster.answer = losing(door, envoys("connection timeout"), 29, 3, 1)
    found = envoy.get(view.cluster, HOST, count=100)
    assert [one.status for one in found] == [200] * 100
    assert [one["count"] for one in door.asked] == [100, 29, 3, 1]


def test_what_stays_lost_is_told_in_envoys_words(
    view: LabView, cluster: FakeCluster, door: Door
) -> None:
    cluster.answer = losing(door, envoys("connection timeout"), 100, envoy.FEW)
    found = envoy.get(view.cluster, HOST, count=100)
    assert ingresses.words(found) == "503 connection timeout"
    # The last question is to the course's own Pod, which answers: no machine is to blame.
    assert [one["count"] for one in door.asked] == [100, envoy.FEW, replacing.AGAIN]


def test_after_a_stall_that_lost_everything_all_is_asked_for(
    view: LabView, cluster: FakeCluster, door: Door
) -> None:
    cluster.answer = losing(door, envoys("connection timeout"), 100)
    found = envoy.get(view.cluster, HOST, count=100)
    assert [one.status for one in found] == [200] * 100
    assert [one["count"] for one in door.asked] == [100, envoy.FEW, envoy.FEW]


def test_where_much_was_lost_it_begins_anew(
    view: LabView, cluster: FakeCluster, door: Door
) -> None:
    """All of them may be one backend's: asked for alone, they would turn its share."""
    cluster.answer = losing(door, envoys("connection timeout"), envoy.FEW + 1)
    assert len(envoy.get(view.cluster, HOST, count=100)) == 100
    assert [one["count"] for one in door.asked] == [100, 100]


@pytest.mark.parametrize(
    "answer",
    [
        {"status": None, "reason": "name", "error": "the name can't be resolved"},
        {"status": None, "reason": "refused", "error": "refused"},
        {"status": None, "reason": "reset", "error": "reset"},
        {"status": 504, "body": "upstream request timeout"},
    ],
)
def test_one_request_of_many_that_did_not_get_through_spoils_none(
    view: LabView,
    cluster: FakeCluster,
    door: Door,
    answer: Object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(envoy, "PAUSE", 0.0)
    cluster.answer = losing(door, answer, 1)
    assert {one.status for one in envoy.get(view.cluster, HOST, count=250)} == {200}


def test_what_is_followed_late_is_waited_for(
    view: LabView, cluster: FakeCluster, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Envoy learns of an Ingress seconds later; until then it knows no such host."""
    monkeypatch.setattr(settled, "FOLLOWED", 60.0)
    body = GOOD | {"metadata": GOOD["metadata"] | {"creationTimestamp": stamp(time.time() - 4.0)}}
    cluster.put("Ingress", body, NAMESPACE)
    door.hosts.clear()
    assert paths(view).verdict == "not_yet"
    door.hosts.add(HOST)
    assert paths(view).verdict == "pass"


@pytest.mark.parametrize(("ago", "verdict"), [(4.0, "not_yet"), (20.0, "fail")])
@pytest.mark.parametrize("host", [HOST, f"elsewhere.{NAMESPACE}.localhost"])
def test_contours_own_kind_is_followed_late_too(
    view: LabView,
    cluster: FakeCluster,
    door: Door,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    ago: float,
    verdict: str,
) -> None:
    """It took paths of a host, and is for another one now: Envoy leads there still."""
    monkeypatch.setattr(replacing, "refuse", lambda *_: False)
    body = proxy("else.localhost", "/api")
    body["metadata"] |= {"creationTimestamp": stamp(time.time() - ago)}
    cluster.put("HTTPProxy", body, NAMESPACE)
    if host == HOST:
        door.paths["/api"] = by("web-1-a")
    door.hosts.add(host)
    assert paths(view).verdict == verdict
    assert "httpproxy/more" in view.looked


def test_what_is_never_followed_is_refused_in_the_end(
    view: LabView, cluster: FakeCluster, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = GOOD | {"metadata": GOOD["metadata"] | {"creationTimestamp": stamp(time.time() - 20.0)}}
    cluster.put("Ingress", body, NAMESPACE)
    door.hosts.clear()
    found = paths(view)
    assert (found.verdict, found.reason) == ("fail", "not-routed")


def test_a_rule_for_every_host_that_is_not_followed_yet_does_not_pass(
    view: LabView, cluster: FakeCluster
) -> None:
    loose = ingress(WEB, API, host=HOST)
    loose["spec"]["defaultBackend"] = {"service": {"name": "web", "port": {"number": 80}}}
    cluster.put("Ingress", loose, NAMESPACE)
    found = paths(view)
    assert (found.verdict, found.reason) == ("fail", "every-host")


def test_a_pod_that_refuses_is_asked_once(view: LabView, cluster: FakeCluster, door: Door) -> None:
    cluster.answer = losing(door, envoys("remote connection failure"), 4)
    found = envoy.get(view.cluster, HOST, count=4)
    assert ingresses.words(found) == "503 remote connection failure"
    assert len(door.asked) == 1


def test_a_lost_way_on_a_busy_machine_costs_nothing(
    view: LabView, cluster: FakeCluster, door: Door
) -> None:
    lost = losing(door, envoys("connection timeout"), *[4] * 4)
    late = {"reason": "timeout", "error": "timed out"}
    cluster.answer = lambda question: (
        [late] * question["count"] if question["url"] == replacing.CONTROL else lost(question)
    )
    with pytest.raises(Busy):
        envoy.get(view.cluster, HOST, count=4)


# The certificate

PEM = f"{certificates.BEGIN}\n{base64.b64encode(b'mine').decode()}\n{certificates.END}\n"
OTHER = PEM.replace(base64.b64encode(b"mine").decode(), base64.b64encode(b"other").decode())


def shown(**changes: Any) -> Object:
    now = time.time()
    found = {"ok": True, "certificate": PEM, "names": [HOST]}
    return found | {"not_before": now - 7200, "not_after": now + 7200} | changes


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (shown(), None),
        (shown(names=[f"*.{NAMESPACE}.localhost"]), None),
        (shown(certificate=OTHER), "other-certificate"),
        ({"ok": False, "reason": "tls", "error": "the handshake fails"}, "other-certificate"),
        (shown(names=["shop.example.com"]), "wrong-certificate-name"),
        (shown(names=["*.localhost"]), "wrong-certificate-name"),
        (shown(not_after=time.time() - 7200), "expired-certificate"),
        (shown(not_before=time.time() + 7200), "expired-certificate"),
    ],
)
def test_the_shown_certificate_is_the_secrets_for_the_host_and_in_date(
    cluster: FakeCluster, view: LabView, door: Door, answer: Object, reason: str | None
) -> None:
    data = {"tls.crt": base64.b64encode(f"{PEM}{OTHER}".encode()).decode()}
    metadata = {"name": "shop-tls", "creationTimestamp": LONG_AGO}
    cluster.put("Secret", {"metadata": metadata, "data": data}, NAMESPACE)
    door.shown = answer

    def check() -> None:
        one = view.certificate("shop-tls", "shop")
        assert one.shown
        assert one.names_host
        assert one.in_date

    assert judge(check, view, 0.2).reason == reason


def test_a_secret_that_is_not_there_is_not_found(view: LabView) -> None:
    def check() -> None:
        assert view.certificate("shop-tls", "shop").shown

    assert judge(check, view, 0.2).reason == "not-found"


@pytest.mark.parametrize("text", ["", "no certificate", f"{certificates.BEGIN}\nx"])
def test_what_is_no_certificate_has_no_leaf(text: str) -> None:
    assert certificates.leaf(text) is None


# The HTTPRoute


def route(*refs: Object, host: str = HOST, gateway: str = "kubelab-system", **says: str) -> Object:
    said = {"Accepted": "True", "ResolvedRefs": "True"} | says
    conditions = [
        {"type": kind, "status": status, "reason": kind, "observedGeneration": 2}
        for kind, status in said.items()
    ]
    parent = {"namespace": gateway, "name": "course"}
    return {
        "kind": "HTTPRoute",
        "metadata": {"name": "shop", "generation": 2, "creationTimestamp": LONG_AGO},
        "spec": {
            "parentRefs": [parent],
            "hostnames": [host],
            "rules": [{"backendRefs": list(refs)}],
        },
        "status": {"parents": [{"parentRef": parent, "conditions": conditions}]},
    }


def ref(name: str, weight: int = 1) -> Object:
    return {"name": name, "port": 80, "weight": weight}


SPLIT = (ref("web", 3), ref("api"))
SEVERAL = ["web", "api"]


@pytest.fixture
def split(cluster: FakeCluster, view: LabView, door: Door) -> Callable[[Object], Judgement]:
    cluster.delete("Ingress", "shop", NAMESPACE)
    door.paths["/"] = by("web-1-a", "web-1-a", "api-1-a", "web-1-a")

    def judged(body: Object) -> Judgement:
        cluster.put("HTTPRoute", body, NAMESPACE)

        def check() -> None:
            one = view.route("shop", "shop")
            assert one.rivals == 0
            assert one.on_gateway
            assert one.accepted
            assert one.resolved
            assert one.for_host
            assert one.weights(SEVERAL) == [3, 1]
            assert one.alike(SEVERAL)
            requests = one.requests(400)
            assert requests.lost == 0
            assert requests.strangers(SEVERAL) == 0
            assert requests.within(SEVERAL, [3, 1])
            assert one.alone

        return judge(check, view, 0.2)

    return judged


Split = Callable[[Object], Judgement]


@pytest.mark.parametrize(
    "refs", [SPLIT, (ref("api", 25), ref("web", 75)), (ref("web"), ref("web", 2), ref("api"))]
)
def test_three_to_one_passes_however_it_is_written(split: Split, refs: tuple[Object, ...]) -> None:
    assert split(route(*refs)).verdict == "pass"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (route(*SPLIT, gateway="lab-90"), "wrong-gateway"),
        (route(*SPLIT, Accepted="False"), "not-accepted"),
        (route(*SPLIT, ResolvedRefs="False"), "unresolved-refs"),
        (route(*SPLIT, host="other.localhost"), "wrong-host"),
        (route(ref("web"), ref("api")), "wrong-weight"),
        (route(ref("web", 2), ref("api")), "wrong-weight"),
        (route(ref("web", 3), ref("nobody")), "wrong-weight"),
    ],
)
def test_what_is_wrong_with_a_route_is_told(split: Split, body: Object, reason: str) -> None:
    found = split(body)
    assert (found.verdict, found.reason) == ("fail", reason)


def test_a_rule_for_one_path_splits_no_other(split: Split) -> None:
    body = route(*SPLIT)
    body["spec"]["rules"][0]["matches"] = [{"path": {"type": "PathPrefix", "value": "/shop"}}]
    assert split(body).reason == "wrong-path"


@pytest.mark.parametrize(
    ("match", "refs", "found"),
    [
        ({"path": {"type": "Exact", "value": "/menu"}}, [ref("web", 30), ref("api", 10)], None),
        ({"path": {"value": "/menu"}}, [ref("api")], "weights 0:1 for /menu"),
        ({"method": "POST"}, [ref("web")], "weights 1:0 for some requests"),
        ({"path": {"value": "/"}}, [ref("api")], None),
    ],
)
def test_every_rule_has_to_split_alike(
    split: Split, match: Object, refs: list[Object], found: str | None
) -> None:
    """But for one that no request reaches: of two alike the first counts."""
    body = route(*SPLIT)
    body["spec"]["rules"].append({"matches": [match], "backendRefs": refs})
    told = split(body)
    assert (told.reason, told.rows[-1].found if found else None) == (
        found and "wrong-weight",
        found,
    )


@pytest.mark.parametrize(
    ("rules", "reason", "found"),
    [
        ([("Exact", "/", SPLIT), ("RegularExpression", "/.+", SPLIT)], None, None),
        ([("Exact", "/", SPLIT), ("RegularExpression", "/a.*", SPLIT)], "wrong-path", None),
        (
            [("PathPrefix", "/", SPLIT), ("RegularExpression", "/.*", (ref("api"),))],
            "wrong-weight",
            "weights 0:1 for /.*",
        ),
        (
            [("PathPrefix", "/", SPLIT), ("PathPrefix", "/menu", ())],
            "wrong-backend",
            "no backend for /menu",
        ),
    ],
)
def test_rules_are_read_together(
    split: Split, rules: list[Any], reason: str | None, found: str | None
) -> None:
    body = route(*SPLIT)
    body["spec"]["rules"] = [
        {"matches": [{"path": {"type": kind, "value": value}}], "backendRefs": list(refs)}
        for kind, value, refs in rules
    ]
    told = split(body)
    assert told.reason == reason
    assert found in (None, told.rows[-1].found)


@pytest.mark.parametrize("at", ["rule", "backend"])
def test_what_is_mirrored_is_no_split(split: Split, at: str) -> None:
    mirror = {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "api"}}}
    body = route(*SPLIT)
    rule = body["spec"]["rules"][0]
    if at == "rule":
        rule["filters"] = [{"type": "RequestHeaderModifier"}, mirror]
    else:
        rule["backendRefs"] = [ref("web", 3) | {"filters": [mirror]}, ref("api")]
    told = split(body)
    assert (told.reason, told.rows[-1].found) == ("wrong-split", "each request goes to api, too")


def test_a_rule_with_a_condition_is_not_for_every_request(split: Split) -> None:
    body = route(*SPLIT)
    body["spec"]["rules"][0]["matches"] = [{"headers": [{"name": "beta", "value": "yes"}]}]
    assert split(body).reason == "wrong-path"


@pytest.mark.parametrize(("value", "reason"), [("/.*", None), ("/shop.*", "wrong-path")])
def test_an_expression_may_take_every_path(split: Split, value: str, reason: str | None) -> None:
    body = route(*SPLIT)
    match = {"path": {"type": "RegularExpression", "value": value}}
    body["spec"]["rules"][0]["matches"] = [match]
    assert split(body).reason == reason


@pytest.mark.parametrize(
    ("host", "gateway", "reason"),
    [
        (HOST, "kubelab-system", "wrong-backend"),
        ("other.localhost", "kubelab-system", None),
        (HOST, "elsewhere", None),
        (f"*.{NAMESPACE}.localhost", "kubelab-system", None),
    ],
)
def test_another_route_with_the_host_is_told(
    cluster: FakeCluster, split: Split, host: str, gateway: str, reason: str | None
) -> None:
    other = route(ref("api"), host=host, gateway=gateway)
    cluster.put("HTTPRoute", other | {"metadata": {"name": "menu"}}, NAMESPACE)
    assert split(route(*SPLIT)).reason == reason


@pytest.mark.parametrize(
    ("host", "reason"),
    [(HOST, "wrong-backend"), ("else.localhost", None), (f"*.{NAMESPACE}.localhost", None)],
)
def test_contours_own_kind_may_not_take_the_host(
    cluster: FakeCluster, split: Split, host: str, reason: str | None
) -> None:
    body = {"metadata": {"name": "menu"}, "spec": {"virtualhost": {"fqdn": host}}}
    cluster.put("HTTPProxy", body, NAMESPACE)
    found = split(route(*SPLIT))
    assert found.reason == reason
    assert not reason or found.rows[-1].found == "HTTPProxy menu has the host, too"


def test_an_ingress_with_the_host_is_a_rival(cluster: FakeCluster, split: Split) -> None:
    cluster.put("Ingress", GOOD, NAMESPACE)
    assert split(route(*SPLIT)).reason == "carried-by-ingress"


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (by("web-1-a", "api-1-a"), "wrong-split"),
        (by("web-1-a"), "wrong-split"),
        (by("web-1-a", "web-1-a", "web-1-a", "stranger"), "wrong-backend"),
        ({"turns": [*by("web-1-a")["turns"], {"status": 503}]}, "no-endpoints"),
        ({"status": 404}, "not-routed"),
    ],
)
def test_who_answers_decides(split: Split, door: Door, answers: Object, reason: str) -> None:
    door.paths["/"] = answers
    assert split(route(*SPLIT)).reason == reason


def test_an_answer_of_a_gateway_to_an_older_spec_does_not_count(split: Split) -> None:
    body = route(*SPLIT)
    body["metadata"]["generation"] = 3
    assert split(body).reason == "not-accepted"


def test_a_route_is_not_at_rest_until_its_gateway_has_seen_it() -> None:
    body, now = route(*SPLIT), time.time()
    assert settled.route_motion(body, now).settled
    body["metadata"] |= {"generation": 3, "managedFields": [{"time": LONG_AGO}]}
    changed = settled.last_change(body) or 0.0
    assert not settled.route_motion(body, changed + 5).settled
    assert not settled.route_motion(body, changed + settled.FOLLOWED + 1).settled


def test_a_gateway_that_is_not_there_is_not_waited_for() -> None:
    body = route(*SPLIT)
    body["metadata"] |= {"generation": 3, "managedFields": [{"time": LONG_AGO}]}
    body["spec"]["parentRefs"] = [{"name": "another"}]
    changed = settled.last_change(body) or 0.0
    assert not settled.route_motion(body, changed + 5).settled
    assert settled.route_motion(body, changed + settled.FOLLOWED + 1).settled


# Evidence


def test_the_chain_follows_each_rule_to_its_pods(cluster: FakeCluster, view: LabView) -> None:
    body = ingress(WEB, path("/api", "Exact", "api", 8080), host=HOST, ingressClassName="nginx")
    cluster.put("Ingress", body, NAMESPACE)
    told = evidence.gather(view, paths(view))
    assert [line.split() for line in told.chain] == [
        ["Ingress", "shop", "class", "nginx"],
        ["├─", HOST, "/", "Prefix", "->", "web:80,", "1", "ready"],
        ["└─", HOST, "/api", "Exact", "->", "api:8080,", "listens", "on", "80"],
    ]


def test_the_chain_of_a_route_says_what_its_gateway_says(
    cluster: FakeCluster, view: LabView, split: Split
) -> None:
    away = ref("prober") | {"namespace": "kubelab-system"}
    told = evidence.gather(view, split(route(ref("web", 3), away, ResolvedRefs="False")))
    assert [line.split()[1:] for line in told.chain[1:]] == [
        ["Accepted", "True"],
        ["ResolvedRefs", "False:", "ResolvedRefs"],
        ["weight", "3", "->", "web:80", "1", "ready"],
        ["weight", "1", "->", "kubelab-system/prober:80", "in", "another", "namespace"],
    ]


def test_a_host_with_a_slip_is_a_near_miss(cluster: FakeCluster, view: LabView) -> None:
    cluster.put("Ingress", ingress(WEB, API, host=f"shop.{NAMESPACE}.local"), NAMESPACE)
    told = evidence.gather(view, paths(view))
    assert told.near == (f"shop.{NAMESPACE}.local does not end in .{NAMESPACE}.localhost",)
