"""A Service is deleted and made again; a stand-in is never adopted and never left behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import shop
from fakes import Clock, FakeCluster
from shop import NAMESPACE

from kubelab import acting as module
from kubelab import renewal, standin
from kubelab.acting import LEASE, acting, beside
from kubelab.endpoints import labels_of
from kubelab.errors import Busy
from kubelab.objects import Object
from kubelab.proofs import Proof, Proofs
from kubelab.site import Site
from kubelab.writers import COPY_LABEL

TRIAL = renewal.Trial("backend", ["http://10.0.0.7:8080/backend"])
OLD, NEW = "10.96.0.9", "10.96.0.10"


class Allocating(FakeCluster):
    """Gives a Service without an address the next one, as the API server does."""

    def create(self, kind: str, body: Object, namespace: str | None = None) -> Object:
        if kind == "Service":
            spec: Object = {"clusterIP": NEW} | body["spec"]
            body = body | {"spec": spec}
        return super().create(kind, body, namespace)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    found = Allocating(Site())
    body = shop.service("backend")
    body["metadata"] |= {"annotations": {"note": "kept"}, "uid": "uid-1"}
    found.put("Service", body, NAMESPACE)
    for name in ("GONE", "BACK", "LATE", "STEP"):
        monkeypatch.setattr(renewal, name, 0.0)
    return found


def address(cluster: FakeCluster) -> str | None:
    body = cluster.get("Service", "backend", NAMESPACE)
    return body["spec"]["clusterIP"] if body else None


def caller(cluster: FakeCluster, *answered: str | None) -> Any:
    """A caller that gets its page while the Service has one of these addresses; None: absent."""

    def answer(_: Object) -> list[Object]:
        return [{"status": 200 if address(cluster) in answered else 502}]

    return answer


def tried(cluster: FakeCluster) -> tuple[bool, str]:
    proof = renewal.finds_again(cluster, NAMESPACE, TRIAL, "key")  # type: ignore[arg-type]
    return proof.passed, proof.reason


def test_a_caller_that_uses_the_name_finds_it_again(cluster: FakeCluster) -> None:
    cluster.answer = caller(cluster, OLD, NEW)
    assert tried(cluster) == (True, "")


def test_a_caller_that_uses_the_services_address_does_not(cluster: FakeCluster) -> None:
    cluster.answer = caller(cluster, OLD)
    assert tried(cluster) == (False, "fixed-address")


def test_a_caller_that_uses_the_pods_address_does_not_notice(cluster: FakeCluster) -> None:
    cluster.answer = caller(cluster, OLD, NEW, None)
    assert tried(cluster) == (False, "fixed-address")


@pytest.mark.parametrize("answered", [(OLD, NEW), (OLD,), (OLD, NEW, None)])
def test_the_service_is_put_back_as_it_was(cluster: FakeCluster, answered: tuple[str]) -> None:
    cluster.answer = caller(cluster, *answered)
    tried(cluster)
    body = cluster.get("Service", "backend", NAMESPACE)
    assert body is not None
    assert body["spec"] == shop.service("backend")["spec"]
    assert body["metadata"]["annotations"] == {"note": "kept"}
    assert Proofs(cluster, NAMESPACE).promised() == []  # type: ignore[arg-type]


def test_a_crash_while_the_service_is_gone_is_mended_by_the_next_one(cluster: FakeCluster) -> None:
    body = cluster.get("Service", "backend", NAMESPACE)
    assert body is not None
    undo = renewal.Undo("Service", "backend", body=renewal.without_address(body))
    Proofs(cluster, NAMESPACE).promise(undo)  # type: ignore[arg-type]
    cluster.delete("Service", "backend", NAMESPACE)
    with acting(cluster, NAMESPACE):  # type: ignore[arg-type]
        assert address(cluster) == NEW


class Late(Allocating):
    """Its nodes follow a Service some seconds late: until then its old address is the one."""

    def __init__(self, behind: float, clock: Clock) -> None:
        super().__init__(Site())
        self.behind, self.clock = behind, clock
        self.told: list[tuple[float, str | None]] = [(0.0, OLD)]
        self.deleted = 0.0
        self.put("Service", shop.service("backend"), NAMESPACE)

    def create(self, kind: str, body: Object, namespace: str | None = None) -> Object:
        made = super().create(kind, body, namespace)
        if kind == "Service":
            self.told.append((self.clock.now, made["spec"]["clusterIP"]))
        return made

    def delete(self, kind: str, name: str, namespace: str | None = None, grace: int = 0) -> None:
        super().delete(kind, name, namespace, grace)
        if kind == "Service":
            self.deleted = self.deleted or self.clock.now
            self.told.append((self.clock.now, None))

    def known(self) -> str | None:
        """The address at which the nodes take requests now."""
        return [one for at, one in self.told if at <= self.clock.now - self.behind][-1]

    def calls_with(self, *answered: str | None) -> Any:
        """A caller that gets its page while the nodes know one of these addresses."""

        def answer(question: Object) -> list[Object]:
            if "/backend" in question["url"]:
                return [{"status": 200 if self.known() in answered else 502}]
            at_address = str(self.known()) in question["url"]
            return [{"status": 200 if at_address or "recorder" in question["url"] else None}]

        return answer


def slowly(monkeypatch: pytest.MonkeyPatch, behind: float) -> Late:
    clock = Clock()
    for one in (module, renewal):
        monkeypatch.setattr(one, "time", clock)
    return Late(behind, clock)


@pytest.mark.parametrize("behind", [0.0, 15.0, 25.0])
def test_nodes_that_follow_a_service_late_are_waited_for(
    monkeypatch: pytest.MonkeyPatch, behind: float
) -> None:
    cluster = slowly(monkeypatch, behind)
    cluster.answer = cluster.calls_with(OLD, NEW)
    assert tried(cluster) == (True, "")


@pytest.mark.parametrize("answered", [(OLD,), (OLD, NEW, None)], ids=["the-services", "the-pods"])
def test_a_fixed_address_is_found_out_where_nodes_follow_late(
    monkeypatch: pytest.MonkeyPatch, answered: tuple[str | None, ...]
) -> None:
    cluster = slowly(monkeypatch, 15.0)
    cluster.answer = cluster.calls_with(*answered)
    assert tried(cluster) == (False, "fixed-address")


def test_a_fixed_address_is_found_out_as_soon_as_ever_where_they_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = slowly(monkeypatch, 0.0)
    cluster.answer = cluster.calls_with(OLD, NEW, None)
    assert tried(cluster) == (False, "fixed-address")
    assert cluster.clock.now - cluster.deleted <= renewal.GONE + 1.0


@pytest.mark.parametrize("answered", [(OLD, NEW, None), (OLD,)], ids=["the-pods", "the-services"])
def test_a_busy_machine_may_be_to_blame(
    cluster: FakeCluster, answered: tuple[str | None, ...]
) -> None:
    late = {"status": None, "reason": "timeout", "error": "no answer"}
    asked = caller(cluster, *answered)
    cluster.answer = lambda question: (
        [late] * question["count"] if "recorder" in question["url"] else asked(question)
    )
    with pytest.raises(Busy, match="too busy"):
        tried(cluster)


# The stand-in


@pytest.fixture
def stood(cluster: FakeCluster) -> Iterator[Object]:
    one = shop.pod("web-1-a", 1, {"app": "web", "pod-template-hash": "1"})
    with acting(cluster, NAMESPACE) as holder:  # type: ignore[arg-type]
        yield beside(holder, standin.MANIFEST, "never-ready", labels_of(one), "web-1-a")


def test_a_stand_in_carries_the_labels_and_is_marked_as_the_courses(stood: Object) -> None:
    labels = stood["metadata"]["labels"]
    assert labels == {"app": "web", "pod-template-hash": "1", COPY_LABEL: "web-1-a"}


def test_a_stand_in_has_an_owner_so_that_no_replica_set_adopts_it(stood: Object) -> None:
    (owner,) = stood["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("Lease", LEASE, True)
    assert owner["uid"]


def test_a_stand_in_is_never_ready(stood: Object) -> None:
    (container,) = stood["spec"]["containers"]
    assert container["image"] == "kubelab/web:3.0"
    assert container["readinessProbe"]["httpGet"]["path"] == "/healthz"


@pytest.mark.parametrize(
    ("known", "told", "reason"),
    [(True, False, ""), (True, True, "unready-address"), (False, False, "not-followed")],
)
def test_dns_must_leave_the_stand_in_out(
    cluster: FakeCluster,
    monkeypatch: pytest.MonkeyPatch,
    known: bool,
    told: bool,
    reason: str,
) -> None:
    for name in ("STEP", "LISTED"):
        monkeypatch.setattr(standin, name, 0.0)
    runs(monkeypatch)
    list_it(cluster, known)
    cluster.answer = lambda _: [telling(told)]
    proof = beside_the_learners(cluster)
    assert (proof.passed, proof.reason) == (not reason, reason)


def runs(monkeypatch: pytest.MonkeyPatch, *, running: bool = True) -> None:
    """The stand-in runs at 10.0.0.9 at once, or never."""
    status = shop.pod("x", 9, {}, ready=False)["status"]
    body = {"metadata": {"name": "x"}, "status": status}
    monkeypatch.setattr(standin, "until", lambda *_: (body, running))


def list_it(cluster: FakeCluster, known: bool = True) -> None:
    """The slice of the Service knows the stand-in, or does not."""
    late = {"10.0.0.9": "x"} if known else {}
    cluster.put("EndpointSlice", shop.slice_of("web-headless", {}, late), NAMESPACE)


def headless(cluster: FakeCluster, selector: Object | None = None, **spec: Any) -> None:
    cluster.put(
        "Service", shop.service("web-headless", selector, clusterIP="None", **spec), NAMESPACE
    )


def telling(it: bool) -> Object:
    """What DNS says: the address of the stand-in, or none."""
    return {"ok": it, "addresses": ["10.0.0.9"] if it else []}


def beside_the_learners(cluster: FakeCluster) -> Proof:
    trial = standin.Trial("web-headless", "web-headless.lab-90", "web-1-a", {"app": "web"})
    try:
        return standin.lists_only_ready(cluster, NAMESPACE, trial, "key")  # type: ignore[arg-type]
    finally:
        assert not cluster.objects("Pod", NAMESPACE), "the stand-in is removed"


def test_a_stand_in_that_never_runs_costs_nothing(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(monkeypatch, running=False)
    with pytest.raises(Busy, match="did not start"):
        beside_the_learners(cluster)


@pytest.fixture
def clock(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The stand-in runs, and nobody waits."""
    found = Clock()
    for one in (module, standin):
        monkeypatch.setattr(one, "time", found)
    runs(monkeypatch)
    cluster.answer = lambda _: [telling(False)]
    return found


def test_a_slice_that_follows_the_stand_in_late_is_waited_for(
    cluster: FakeCluster, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    headless(cluster)
    objects, late = cluster.objects, clock.now + 20.0

    def listed_late(kind: str, *more: Any, **selectors: Any) -> list[Object]:
        if kind == "EndpointSlice" and clock.now >= late:
            list_it(cluster)
        return objects(kind, *more, **selectors)

    monkeypatch.setattr(cluster, "objects", listed_late)
    assert beside_the_learners(cluster).passed


def test_a_slice_that_never_follows_what_its_service_selects_costs_nothing(
    cluster: FakeCluster, clock: Clock
) -> None:
    headless(cluster)
    began = clock.now
    with pytest.raises(Busy, match="too much to do"):
        beside_the_learners(cluster)
    assert clock.now - began > standin.LATE


def test_a_stand_in_that_the_service_does_not_select_is_not_waited_for(
    cluster: FakeCluster, clock: Clock
) -> None:
    headless(cluster, {"app": "web", "release": "1"})
    began = clock.now
    late = {"status": None, "reason": "timeout", "error": "no answer"}
    cluster.answer = lambda question: (
        [late] * question["count"] if question["kind"] == "http" else [telling(False)]
    )
    assert beside_the_learners(cluster).reason == "not-followed", "whoever is busy"
    assert clock.now - began < standin.LISTED


@pytest.mark.parametrize(("published", "reason"), [(True, "unready-address"), (False, "")])
def test_an_address_that_is_published_is_waited_for(
    cluster: FakeCluster, clock: Clock, published: bool, reason: str
) -> None:
    """DNS gives it after more questions than are asked else."""
    headless(cluster, publishNotReadyAddresses=published)
    list_it(cluster)
    asked: list[Object] = []

    def answer(question: Object) -> list[Object]:
        asked.append(question)
        return [telling(len(asked) > standin.QUESTIONS + 3)]

    cluster.answer = answer
    assert beside_the_learners(cluster).reason == reason
    assert len(asked) == standin.QUESTIONS + (4 if published else 0)
