"""A Pod of a Deployment is deleted: who comes in its place, and what keeps it from coming."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import shop
from fakes import Clock, FakeCluster
from shop import NAMESPACE

from kubelab import acting, recovery, replacing
from kubelab.errors import Busy, EnvironmentFault
from kubelab.objects import Object, name_of, seconds, stamp
from kubelab.site import Site

Comes = Callable[["Replacing"], None]


class Replacing(FakeCluster):
    """A cluster whose controller does `comes` when a Pod is deleted.

    `later`: what happens so many seconds after the first deletion.
    """

    comes: Comes = staticmethod(lambda _: None)
    clock: Clock

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.later: list[tuple[float, Comes]] = []
        self.deleted: float | None = None

    def objects(self, kind: str, namespace: str | None = None, **more: Any) -> list[Object]:
        for one in list(self.later):
            if self.deleted is not None and self.clock.now - self.deleted >= one[0]:
                self.later.remove(one)
                one[1](self)
        return super().objects(kind, namespace, **more)

    def delete(self, kind: str, name: str, namespace: str | None = None, grace: int = 0) -> None:
        super().delete(kind, name, namespace, grace)
        if kind == "Pod":
            self.deleted = self.deleted or self.clock.now
            self.comes(self)


def another(**changes: Any) -> Comes:
    def come(cluster: Replacing) -> None:
        one = shop.pod("web-1-z", 9, {"app": "web"}, of="web-1", **changes)
        cluster.put("Pod", one, NAMESPACE)

    return come


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Replacing:
    found = Replacing(Site())
    shop.deployment(found, "web", 2, {"app": "web"})
    found.answer = shop.answering("web-1-z")
    found.clock = clock = Clock()
    for module in (recovery, acting):
        monkeypatch.setattr(module, "time", clock)
    return found


def tried(cluster: Replacing, comes: Comes) -> tuple[bool, str, str]:
    cluster.comes = comes  # type: ignore[method-assign]
    proof = recovery.comes_back(cluster, NAMESPACE, "web", "key")  # type: ignore[arg-type]
    return proof.passed, proof.reason, proof.found


def test_a_pod_that_comes_and_answers_passes(cluster: Replacing) -> None:
    assert tried(cluster, another()) == (True, "", recovery.WANTED)
    assert cluster.calls.count("delete Pod") == 1


def test_a_pod_that_comes_and_never_gets_ready_is_told(cluster: Replacing) -> None:
    passed, reason, found = tried(cluster, another(ready=False))
    assert (passed, reason) == (False, "not-replaced")
    assert found == "web-1-z, made in its place, is Running, not ready"


def test_a_pod_that_comes_and_gives_no_page_is_told(cluster: Replacing) -> None:
    cluster.answer = lambda _: [{"status": None, "reason": "refused", "error": "refused"}]
    passed, reason, found = tried(cluster, another())
    assert (passed, reason) == (False, "not-replaced")
    assert found.endswith("gives no page")


@pytest.mark.parametrize(("started", "passed"), [(12, True), (1, False)])
def test_a_server_listens_late_where_its_container_was_started_late(
    cluster: Replacing, started: int, passed: bool
) -> None:
    """The Pod was placed at noon; its server listens 25 s after it counts as ready."""

    def come(cluster: Replacing) -> None:
        another()(cluster)
        (one,) = (pod for pod in cluster.objects("Pod", NAMESPACE) if name_of(pod) == "web-1-z")
        one["status"]["conditions"] += [shop.READY | {"type": "PodScheduled"}]
        state = {"running": {"startedAt": f"2026-11-24T12:00:{started:02}Z"}}
        one["status"]["containerStatuses"][0]["state"] = state
        cluster.put("Pod", one, NAMESPACE)

    good, shut, began = cluster.answer, shop.answering(None), cluster.clock.now

    def answer(question: Object) -> list[Object]:
        found: list[Object] = (good if cluster.clock.now - began > 25 else shut)(question)
        return found

    cluster.answer = answer
    assert tried(cluster, come)[0] is passed


def refuse(cluster: Replacing) -> None:
    body = cluster.get("Deployment", "web", NAMESPACE) or {}
    body["status"]["conditions"] = [{"type": "ReplicaFailure", "status": "True"}]
    cluster.put("Deployment", body, NAMESPACE)


def hold(cluster: Replacing) -> None:
    """The Pod that was deleted takes its time to end, and nobody else may come before."""
    refuse(cluster)
    one = shop.pod("web-1-a", 1, {"app": "web"}, of="web-1")
    one["metadata"]["deletionTimestamp"] = shop.LONG_AGO
    cluster.put("Pod", one, NAMESPACE)


def end(cluster: Replacing) -> None:
    FakeCluster.delete(cluster, "Pod", "web-1-a", NAMESPACE)


def test_a_controller_that_may_make_no_other_pod_is_told(cluster: Replacing) -> None:
    began = cluster.clock.now
    assert tried(cluster, refuse) == (False, "not-replaced", "no Pod can be made in its place")
    assert cluster.clock.now - began < recovery.REFUSED + 1


@pytest.mark.parametrize(("ends", "comes"), [(12.0, 21.0), (22.0, 44.0), (40.0, 82.0)])
def test_a_controller_tries_again_after_the_old_pod_has_gone(
    cluster: Replacing, ends: float, comes: float
) -> None:
    """A full quota has no place for the next Pod while the old one ends."""
    cluster.later = [(ends, end), (comes, another())]
    assert tried(cluster, hold) == (True, "", recovery.WANTED)


def test_a_place_that_stays_taken_is_told_when_the_old_pod_has_gone(cluster: Replacing) -> None:
    began = cluster.clock.now
    cluster.later = [(22.0, end)]
    assert tried(cluster, hold) == (False, "not-replaced", "no Pod can be made in its place")
    assert 2 * 22 < cluster.clock.now - began < recovery.REPLACED


def unplaced(cluster: Replacing) -> None:
    """The next Pod is there, and its node's port is still the old one's."""
    hold(cluster)
    one = shop.pod("web-1-z", 9, {"app": "web"}, of="web-1", ready=False)
    said = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    one["status"] = {"phase": "Pending", "conditions": [said]}
    cluster.put("Pod", one, NAMESPACE)


@pytest.mark.parametrize(("ends", "comes"), [(3.0, 4.0), (20.0, 28.0)])
def test_a_pod_that_waits_for_the_place_of_the_old_one_is_waited_for(
    cluster: Replacing, ends: float, comes: float
) -> None:
    cluster.later = [(ends, end), (comes, another())]
    assert tried(cluster, unplaced) == (True, "", recovery.WANTED)


def test_a_pod_that_no_node_takes_is_told_when_the_old_one_has_gone(cluster: Replacing) -> None:
    began = cluster.clock.now
    cluster.later = [(3.0, end)]
    passed, reason, found = tried(cluster, unplaced)
    assert (passed, reason) == (False, "not-replaced")
    assert found.endswith("is Pending: Unschedulable")
    assert cluster.clock.now - began < 3 + recovery.PLACED + 2


@pytest.mark.parametrize("taken", [0, 80])
def test_init_containers_may_take_as_long_as_they_took_before(
    cluster: Replacing, taken: int
) -> None:
    """The Pods before took 80 s until they ran, and the next one takes 85."""
    for name in ("web-1-a", "web-1-b"):
        one = cluster.get("Pod", name, NAMESPACE) or {}
        one["status"]["startTime"] = stamp(seconds(shop.LONG_AGO) - taken)
        cluster.put("Pod", one, NAMESPACE)
    cluster.later = [(85.0, another())]
    if taken:
        assert tried(cluster, lambda _: None) == (True, "", recovery.WANTED)
    else:
        with pytest.raises(Busy, match="was not replaced within 60 s"):
            tried(cluster, lambda _: None)


def test_a_cluster_that_does_nothing_is_no_fault_of_the_learners(cluster: Replacing) -> None:
    with pytest.raises(Busy, match="was not replaced within 60 s"):
        tried(cluster, lambda _: None)


def test_without_a_ready_pod_nothing_is_deleted(cluster: Replacing) -> None:
    for name in ("web-1-a", "web-1-b"):
        FakeCluster.delete(cluster, "Pod", name, NAMESPACE)
    before = cluster.calls.count("delete Pod")
    with pytest.raises(EnvironmentFault, match="no ready Pod"):
        tried(cluster, another())
    assert cluster.calls.count("delete Pod") == before


def test_the_page_is_looked_for_where_a_pod_may_serve_it(cluster: Replacing) -> None:
    one = shop.pod("web-1-a", 1, {"app": "web"})
    one["spec"]["containers"][0]["env"] = [{"name": "PORT", "value": "9090"}, {"name": "X"}]
    assert recovery.ports(cluster, one) == [8080, 9090]  # type: ignore[arg-type]
    asked: list[str] = []

    def answer(question: Object) -> list[Object]:
        asked.append(question["url"])
        return shop.answering("a" if ":9090" in question["url"] else None)(question)

    cluster.answer = answer
    assert recovery.page(cluster, one)  # type: ignore[arg-type]
    assert asked == ["http://10.0.0.1:8080/", "http://10.0.0.1:9090/"]


@pytest.mark.parametrize("busy", [True, False])
def test_a_page_that_is_late_may_be_the_machines_fault(cluster: Replacing, busy: bool) -> None:
    late = {"status": None, "reason": "timeout", "error": "no answer"}

    def answer(question: Object) -> list[Object]:
        on_time = question["url"] == replacing.CONTROL and not busy
        return [{"status": 200} if on_time else late] * question["count"]

    cluster.answer = answer
    one = shop.pod("web-1-a", 1, {"app": "web"})
    if busy:
        with pytest.raises(Busy):
            recovery.page(cluster, one)  # type: ignore[arg-type]
    else:
        assert not recovery.page(cluster, one)  # type: ignore[arg-type]


def test_a_late_port_is_nothing_where_the_page_is_at_another(cluster: Replacing) -> None:
    one = shop.pod("web-1-a", 1, {"app": "web"})
    one["spec"]["containers"][0]["ports"] = [{"containerPort": 9090}]
    late = {"status": None, "reason": "timeout", "error": "no answer"}

    def answer(question: Object) -> list[Object]:
        return shop.answering("a")(question) if ":8080" in question["url"] else [late]

    cluster.answer = answer
    assert recovery.page_port(cluster, one) == 8080  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given",
    [
        {"env": [{"name": "PORT", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "PORT"}}}]},
        {"envFrom": [{"secretRef": {"name": "s"}}, {"configMapRef": {"name": "c"}}]},
        {"envFrom": [{"configMapRef": {"name": "d"}, "prefix": "PO"}]},
        {"env": [{"name": "A", "value": "9090"}, {"name": "PORT", "value": "$(A)"}]},
        {"startupProbe": {"tcpSocket": {"port": 9090}}},
    ],
)
def test_a_port_may_stand_in_a_config_map_or_a_probe(cluster: Replacing, given: Object) -> None:
    one = shop.pod("web-1-a", 1, {"app": "web"})
    one["metadata"]["namespace"] = NAMESPACE
    one["spec"]["containers"][0] |= {"ports": [], **given}
    cluster.put("ConfigMap", {"metadata": {"name": "c"}, "data": {"PORT": "9090"}}, NAMESPACE)
    cluster.put("ConfigMap", {"metadata": {"name": "d"}, "data": {"RT": "9090"}}, NAMESPACE)
    assert recovery.ports(cluster, one) == [9090, 8080]  # type: ignore[arg-type]


def test_the_ports_of_the_page_go_before_those_of_a_helper(cluster: Replacing) -> None:
    """A helper of the page's image answers with the page, too, and stands first."""
    one = shop.pod("web-1-a", 1, {"app": "web"})
    helper = {"name": "numbers", "ports": [{"containerPort": 9100}]}
    one["spec"]["containers"].insert(0, helper)
    page = {"name": "web", "env": [{"name": "PORT", "value": "9090"}]}
    assert recovery.ports(cluster, one) == [9100, 8080]  # type: ignore[arg-type]
    assert recovery.ports(cluster, one, "web") == [8080, 9100]  # type: ignore[arg-type]
    one["spec"]["containers"][1] = page
    assert recovery.ports(cluster, one, "web") == [9090, 8080, 9100]  # type: ignore[arg-type]
