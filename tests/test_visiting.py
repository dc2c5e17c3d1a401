"""Visits are counted in one place, by its name, also after that place was replaced."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import shop
from fakes import COURSE, Clock, FakeCluster
from shop import NAMESPACE

from kubelab import acting, labs, recovery, replacing, visiting
from kubelab.checking import LabView
from kubelab.errors import Busy
from kubelab.objects import Object
from kubelab.site import Site
from kubelab.snapshot import Snapshot
from kubelab.verdict import Judgement, judge
from kubelab.views import visits

LAB = labs.find(COURSE, "90")
WEB = ("web-1-a", "web-1-b")
REFUSED = {"error": "The store redis:6379 is away: Connection refused."}


class Shop(FakeCluster):
    """A page with two Pods, and a redis that begins anew when its Pod does.

    `own`: each Pod counts for itself. `elsewhere`: the page counts where nobody looks. `keeps`:
    the counts lie on a volume. `missed`: how many visits find no redis after its Pod was deleted.
    `ends`, `comes`: after how many visits the old Pod has gone, and the next one is there.
    """

    own = elsewhere = lost = keeps = False
    store = "redis:6379"
    missed = 2
    ends = comes = 0
    error: str | None = None

    def __init__(self) -> None:
        super().__init__(Site())
        self.counts: Counter[tuple[str, str]] = Counter()
        self.away = self.number = self.since = 0
        shop.deployment(self, "web", 2, {"app": "web"})
        shop.deployment(self, "redis", 1, {"app": "redis"})
        self.put("Service", shop.service(), NAMESPACE)
        self.answer = self.visits

    def delete(self, kind: str, name: str, namespace: str | None = None, grace: int = 0) -> None:
        super().delete(kind, name, namespace, grace)
        if kind == "Pod" and name.startswith("redis"):
            if self.ends:
                ending = shop.pod(name, 1, {"app": "redis"}, of="redis-1")
                ending["metadata"]["deletionTimestamp"] = shop.LONG_AGO
                self.put("Pod", ending, NAMESPACE)
            self.since = 0
            self.go_on()

    def go_on(self) -> None:
        """Let the Pods of redis end and come, so many visits after the deletion."""
        if self.since == self.ends:
            self.stored.pop(("Pod", NAMESPACE, "redis-1-a"), None)
            if not self.elsewhere:
                self.counts = Counter(self.counts if self.keeps else ())
                self.away = 10**6 if self.lost else self.missed
        if self.since == self.comes:
            one = shop.pod("redis-1-z", 9, {"app": "redis"}, of="redis-1")
            self.put("Pod", one, NAMESPACE)

    def visits(self, question: Object) -> list[Object]:
        found = []
        for _ in range(question["count"]):
            found.append(self.visit(question["url"]))
            self.since += 1
            if "delete Pod" in self.calls:
                self.go_on()
        return found

    def visit(self, url: str) -> Object:
        pod = WEB[self.number % 2]
        self.number += 1
        headers = {"x-web-pod": pod}
        if self.away or self.error:
            self.away = max(0, self.away - 1)
            body = {"error": self.error} if self.error else REFUSED
            return {"status": 503, "headers": headers, "body": json.dumps(body)}
        key = (url, pod if self.own else "")
        self.counts[key] += 1
        told = {"count": self.counts[key], "store": self.store}
        return {"status": 200, "headers": headers, "body": json.dumps(told)}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Shop:
    clock = Clock()
    monkeypatch.setattr(visiting, "BACK", 5.0)
    for module in (recovery, acting, visiting):
        monkeypatch.setattr(module, "time", clock)
    return Shop()


@pytest.fixture
def view(cluster: Shop) -> Iterator[LabView]:
    snapshot = Snapshot(cluster, NAMESPACE)  # type: ignore[arg-type]
    yield LabView(cluster, LAB, LAB.task("90.1"), snapshot)  # type: ignore[arg-type]
    snapshot.close()


def judged(view: LabView) -> Judgement:
    def check() -> None:
        visits = view.visits(view.service("web"), view.members("web"), 80)
        assert visits.answered
        assert visits.in_a_row
        assert visits.by_name
        assert visits.outlive(view.members("redis"))

    return judge(check, view, 0.2)


def test_one_counter_by_name_that_is_replaced_passes(cluster: Shop, view: LabView) -> None:
    assert judged(view).verdict == "pass"
    assert cluster.calls.count("delete Pod") == 1


def test_a_name_that_somebody_bound_to_an_address_is_told(cluster: Shop, view: LabView) -> None:
    for name in WEB:
        body = cluster.get("Pod", name, NAMESPACE)
        assert body is not None
        body["spec"]["hostAliases"] = [{"ip": "10.96.0.9", "hostnames": ["redis"]}]
        cluster.put("Pod", body, NAMESPACE)
    assert judged(view).reason == "fixed-address"


def test_letters_make_no_other_name(cluster: Shop, view: LabView) -> None:
    bodies = [cluster.get("Pod", name, NAMESPACE) for name in WEB]
    for body in filter(None, bodies):
        body["spec"]["hostAliases"] = [{"ip": "10.96.0.9", "hostnames": ["Redis"]}]
        cluster.put("Pod", body, NAMESPACE)
    cluster.store = "reDis:6379"
    assert judged(view).reason == "fixed-address"


@pytest.mark.parametrize("host", ["localhost.", "ip6-localhost", "0.0.0.0", "::"])
def test_a_pod_has_several_names_for_itself(host: str) -> None:
    assert visiting.is_own(host)
    assert not visiting.is_fixed(host)


def test_the_selector_of_an_external_name_leads_nowhere(cluster: Shop, view: LabView) -> None:
    body = shop.service("redis", {"app": "redis"})
    body["spec"] |= {"type": "ExternalName", "externalName": "10-96-0-9.lab-90.pod.cluster.local"}
    cluster.put("Service", body, NAMESPACE)
    assert judged(view).reason == "fixed-address"


BY_NAME = "redis.lab-90.svc.cluster.local"


@pytest.mark.parametrize("store", ["127.0.0.1:6379", "[::1]:6379", "localhost:6379"])
@pytest.mark.parametrize(
    ("asks", "reason"),
    [
        ("redis", None),
        (BY_NAME, None),
        ("10.96.0.90", None),
        ("10.96.0.9", "fixed-address"),
        ("connect 10.96.0.9:6379;", "fixed-address"),
        ("10-96-0-9.lab-90.pod", "fixed-address"),
        ("exec forward\nREDIS_SERVICE_HOST", "fixed-address"),
        ("MY_REDIS_SERVICE_HOST", None),
    ],
)
@pytest.mark.parametrize("place", ["args", "ConfigMap", "Secret"])
def test_a_container_beside_may_ask_for_the_store_by_its_name(
    cluster: Shop, view: LabView, store: str, asks: str, reason: str | None, place: str
) -> None:
    cluster.store = store
    cluster.put("Service", shop.service("redis", {"app": "redis"}), NAMESPACE)
    encoded = base64.b64encode(asks.encode()).decode()
    for kind, text in {"ConfigMap": asks, "Secret": encoded}.items():
        cluster.put(kind, {"metadata": {"name": "c"}, "data": {"conf": text}}, NAMESPACE)
    for name in WEB:
        body = cluster.get("Pod", name, NAMESPACE)
        assert body is not None
        body["spec"]["containers"][0]["args"] = [asks] if place == "args" else []
        body["spec"]["volumes"] = {
            "args": [],
            "ConfigMap": [{"name": "v", "configMap": {"name": "c"}}],
            "Secret": [{"name": "v", "secret": {"secretName": "c"}}],
        }[place]
        cluster.put("Pod", body, NAMESPACE)
    assert judged(view).reason == reason


@pytest.mark.parametrize(
    ("store", "names", "reason"),
    [
        ("a", {"a": "redis.lab-90.svc.cluster.local"}, None),
        ("a", {"a": "b.lab-90.svc.cluster.local", "b": "redis"}, None),
        ("a", {"a": "10-96-0-9.lab-90.POD.cluster.local"}, "fixed-address"),
        ("a", {"a": "10.96.0.9"}, "fixed-address"),
        ("A.lab-90", {"a": "B.lab-90.svc.cluster.local", "b": "10.96.0.9"}, "fixed-address"),
        ("a", {"a": "by-hand.lab-90.svc.cluster.local"}, "fixed-address"),
        ("one.by-hand", {}, "fixed-address"),
        ("redis-0.redis", {}, None),
        ("a", {"a": "b", "b": "a"}, None),
    ],
)
def test_a_name_may_stand_for_another_name_and_for_no_address(
    cluster: Shop, view: LabView, store: str, names: dict[str, str], reason: str | None
) -> None:
    cluster.store = f"{store}:6379"
    several = [shop.service(a, {}, type="ExternalName", externalName=b) for a, b in names.items()]
    for one in (shop.service("redis", {"app": "redis"}), shop.service("by-hand", {}), *several):
        cluster.put("Service", one, NAMESPACE)
    assert judged(view).reason == reason


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        (shop.service("counter", {"app": "redis"}), None),
        (shop.service("counter", {}), "fixed-address"),
        (shop.service("counter", {}, type="ExternalName", externalName="redis"), None),
    ],
)
def test_another_name_for_the_store_may_not_be_an_address(
    cluster: Shop, view: LabView, service: Object, reason: str | None
) -> None:
    cluster.store = f"counter.{NAMESPACE}.svc:6379"
    cluster.put("Service", service, NAMESPACE)
    assert judged(view).reason == reason


def test_a_redis_that_is_back_before_anybody_asks_is_known_by_its_count(
    cluster: Shop, view: LabView
) -> None:
    cluster.missed = 0
    assert judged(view).verdict == "pass"


@pytest.mark.parametrize(
    ("changes", "reason", "found"),
    [
        ({"error": "STORE_HOST is not set."}, "backend-not-found", "STORE_HOST is not set."),
        ({"own": True}, "wrong-count", "one visitor counts 1, 1, 2, 2, 3, 3"),
        ({"store": "10.0.0.7:6379"}, "fixed-address", "counts in 10.0.0.7:6379"),
        ({"store": "[fd00::7]:6379"}, "fixed-address", "counts in [fd00::7]:6379"),
        ({"elsewhere": True}, "wrong-store", "counts on while Deployment redis is gone"),
        ({"lost": True}, "fixed-address", f"redis was replaced, and /visits: {REFUSED['error']}"),
    ],
)
def test_each_fault_has_its_reason(
    cluster: Shop, view: LabView, changes: dict[str, Any], reason: str, found: str
) -> None:
    vars(cluster).update(changes)
    seen = judged(view)
    assert (seen.verdict, seen.reason) == ("fail", reason)
    assert seen.rows[-1].found.endswith(found)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"error": REFUSED["error"]}, "backend-not-found"),
        (
            {"error": "The store redis.lab-90.svc:6379 is away: No route to host."},
            "backend-not-found",
        ),
        (
            {"error": "The store redis:6379 refuses to count: it says 'LOADING'."},
            "backend-not-found",
        ),
        ({"own": True}, "wrong-count"),
    ],
)
@pytest.mark.parametrize("moves", [True, False])
def test_a_store_that_still_comes_is_waited_for(
    cluster: Shop, view: LabView, changes: dict[str, Any], reason: str, moves: bool
) -> None:
    vars(cluster).update(changes)
    cluster.put("Service", shop.service("redis", {"app": "redis"}), NAMESPACE)
    old = {"10.0.0.8": "redis-0"} if moves else {}
    slices = shop.slice_of("redis", {"10.0.0.1": "redis-1-a"} | old)
    cluster.put("EndpointSlice", slices, NAMESPACE)
    found = judged(view)
    assert (found.verdict, found.reason) == ("not_yet" if moves else "fail", reason)


def test_a_store_that_counts_is_not_waited_for(cluster: Shop, view: LabView) -> None:
    cluster.put("Service", shop.service("redis", {"app": "redis"}), NAMESPACE)
    cluster.put("EndpointSlice", shop.slice_of("redis", {"10.0.0.8": "redis-0"}), NAMESPACE)
    assert judged(view).verdict == "pass"


def test_a_store_that_is_not_there_is_told(cluster: Shop, view: LabView) -> None:
    FakeCluster.delete(cluster, "Deployment", "redis", NAMESPACE)
    assert judged(view).reason == "not-found"


def test_visitors_go_on_until_both_pods_have_answered(cluster: Shop) -> None:
    cluster.visit = lambda _: {  # type: ignore[method-assign]
        "status": 200, "headers": {"x-web-pod": WEB[0]}, "body": '{"count": 1, "store": "r:1"}',
    }  # fmt: skip
    seen = visiting.counted(cluster, "web", 80, 2)  # type: ignore[arg-type]
    assert len(seen.counts) == sum(visiting.ROUNDS)
    assert not seen.in_a_row


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("10.96.3.4", True),
        ("[fd00::1]", True),
        ("174063620", True),
        ("0x0a600304", True),
        ("10-96-3-4.lab-00.pod.cluster.local", True),
        ("10-96-3-4.lab-00.POD.cluster.local", True),
        ("10-96-3-4", True),
        ("10-96-3-4.lab-00", True),
        ("FD00--1.lab-00.pod", True),
        ("10-96-3-4-5", False),
        ("store-10-96-3-4", False),
        ("redis-0.redis", False),
        ("redis", False),
        ("redis.lab-00.svc.cluster.local", False),
        ("10-96.example", False),
    ],
)
def test_an_address_is_one_in_every_disguise(host: str, told: bool) -> None:
    assert visiting.is_address(host) is told


def test_the_counts_are_shown_where_they_leave_the_row() -> None:
    assert visits.around((1, 1, 2, 2, 3, 3, 4)) == (1, 1, 2, 2, 3, 3)
    assert visits.around((1, 2, 3, 4, 5, 1, 2, 6, 7)) == (3, 4, 5, 1, 2, 6)
    assert visits.around(()) == ()


LATE = {"error": "The store redis:6379 is away: no answer within 2 s."}
NAMELESS = {"status": None, "reason": "name", "error": "the name can't be resolved"}


def failing(cluster: Shop, fails: Callable[[int], bool], error: Object) -> list[int]:
    """Let some of the visits fail by their number; the numbers of all that were made."""
    told = error if "reason" in error else {"status": 503, "body": json.dumps(error)}
    counted, made = cluster.visit, list[int]()

    def visit(url: str) -> Object:
        if url == replacing.CONTROL:
            return {"status": 200}
        made.append(len(made) + 1)
        return told if fails(made[-1]) else counted(url)

    cluster.visit = visit  # type: ignore[method-assign]
    return made


@pytest.mark.parametrize("error", [LATE, NAMELESS])
@pytest.mark.parametrize("numbers", [(1,), (1, 5, 25), (5, 25, 45, 65)])
def test_what_is_late_is_asked_anew(cluster: Shop, numbers: tuple[int, ...], error: Object) -> None:
    failing(cluster, lambda number: number in numbers, error)
    seen = visiting.counted(cluster, "web", 80, 2)  # type: ignore[arg-type]
    assert (seen.error, seen.in_a_row) == ("", True)


def test_what_was_never_counted_is_asked_twice(cluster: Shop) -> None:
    made = failing(cluster, lambda _: True, LATE)
    seen = visiting.counted(cluster, "web", 80, 2)  # type: ignore[arg-type]
    assert (seen.error, len(made)) == (LATE["error"], 2)


@pytest.mark.parametrize(("patience", "rounds"), [(30.0, 8), (-1.0, 2)])
def test_a_store_that_is_late_again_and_again_is_told(
    cluster: Shop, monkeypatch: pytest.MonkeyPatch, patience: float, rounds: int
) -> None:
    monkeypatch.setattr(visiting, "PATIENCE", patience)
    made = failing(cluster, lambda number: number % 20 == 0, LATE)
    seen = visiting.counted(cluster, "web", 80, 2)  # type: ignore[arg-type]
    assert (seen.error, len(made)) == (LATE["error"], rounds * 20)


def test_dns_that_fails_is_never_the_learners(cluster: Shop) -> None:
    failing(cluster, lambda _: True, NAMELESS)
    with pytest.raises(Busy, match="DNS"):
        visiting.counted(cluster, "web", 80, 2)  # type: ignore[arg-type]


# What a lost answer may hide while redis is replaced


def lost_once(cluster: Shop, at: int | None, *, cut: bool = False, counts: bool = True) -> None:
    """One answer is lost: so many visits after redis was deleted, or the first one before that."""
    visit, lost = cluster.visit, list[Object]()

    def losing(url: str) -> Object:
        deleted = "delete Pod" in cluster.calls
        acts = ("Lease", NAMESPACE, acting.LEASE) in cluster.stored
        now = acts and not deleted if at is None else deleted and cluster.since == at
        if lost or not now:
            return visit(url)
        lost.append(visit(url) if counts else {})
        if cut:
            return {"status": None, "reason": "reset", "error": "the connection was closed"}
        return {"status": 503, "body": json.dumps(LATE)}

    cluster.visit = losing  # type: ignore[method-assign]


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("counts", [False, True])
@pytest.mark.parametrize(("at", "reason"), [(None, "wrong-store"), (0, "environment")])
def test_a_lost_answer_is_no_miss(
    cluster: Shop, view: LabView, at: int | None, reason: str, cut: bool, counts: bool
) -> None:
    cluster.elsewhere = True
    lost_once(cluster, at, cut=cut, counts=counts)
    found = judged(view)
    assert (found.verdict, found.reason) == ("fail" if at is None else "env", reason)


def test_who_is_counted_while_redis_is_gone_is_counted_elsewhere(
    cluster: Shop, view: LabView
) -> None:
    cluster.elsewhere, cluster.ends, cluster.comes = True, 2, 5
    lost_once(cluster, 1)
    assert judged(view).reason == "wrong-store"


def test_a_question_that_is_put_twice_is_no_miss(cluster: Shop, view: LabView) -> None:
    cluster.elsewhere = True
    visit = cluster.visit

    def twice(url: str) -> Object:
        if "delete Pod" in cluster.calls and cluster.since == 3:
            visit(url)
        return visit(url)

    cluster.visit = twice  # type: ignore[method-assign]
    assert judged(view).reason == "wrong-store"


@pytest.mark.parametrize(("keeps", "missed"), [(False, 0), (True, 1)])
def test_an_old_redis_may_count_until_it_ends(
    cluster: Shop, view: LabView, keeps: bool, missed: int
) -> None:
    """The next Pod is ready long before; a volume goes on counting, so a visit has to miss it."""
    cluster.keeps, cluster.ends, cluster.missed = keeps, 12, missed
    assert judged(view).verdict == "pass"


def test_a_redis_that_began_anew_is_known_though_its_first_count_was_lost(
    cluster: Shop, view: LabView
) -> None:
    cluster.missed = 0
    lost_once(cluster, 0)
    assert judged(view).verdict == "pass"


def test_where_a_lost_answer_may_have_been_the_miss_nobody_can_tell(
    cluster: Shop, view: LabView
) -> None:
    cluster.keeps, cluster.missed = True, 0
    lost_once(cluster, 0, counts=False)
    assert judged(view).verdict == "env"


def test_a_slow_page_is_asked_several_times_after_redis_is_back(
    cluster: Shop, view: LabView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six visits of 8 s each take longer than the page is given to find its store again."""
    monkeypatch.setattr(visiting, "BACK", -1.0)
    cluster.missed = visiting.AGAIN + 3
    assert judged(view).verdict == "pass"


def test_an_old_redis_that_never_ends_tells_nothing(
    cluster: Shop, view: LabView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "REPLACED", -1.0)
    cluster.elsewhere = True
    assert judged(view).verdict == "env"


def test_nothing_is_deleted_where_nobody_is_counted(cluster: Shop, view: LabView) -> None:
    acts = ("Lease", NAMESPACE, acting.LEASE)
    failing(cluster, lambda _: acts in cluster.stored, LATE)
    assert judged(view).verdict == "env"
    assert "delete Pod" not in cluster.calls
