"""A Service is deleted and made again; a stand-in is never adopted and never left behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import shop
from fakes import FakeCluster
from shop import NAMESPACE

from kubelab import renewal, standin
from kubelab.acting import LEASE, acting, beside
from kubelab.endpoints import labels_of
from kubelab.objects import Object
from kubelab.proofs import Proofs
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
    for name in ("GONE", "BACK", "STEP"):
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
    running = shop.pod("x", 9, {}, ready=False)["status"]
    monkeypatch.setattr(
        standin, "until", lambda *_: ({"metadata": {"name": "x"}, "status": running}, True)
    )
    late = {"10.0.0.9": "x"} if known else {}
    cluster.put("EndpointSlice", shop.slice_of("web-headless", {}, late), NAMESPACE)
    cluster.answer = lambda _: [{"ok": True, "addresses": ["10.0.0.9"] if told else []}]
    trial = standin.Trial("web-headless", "web-headless.lab-90", "web-1-a", {"app": "web"})
    proof = standin.lists_only_ready(cluster, NAMESPACE, trial, "key")  # type: ignore[arg-type]
    assert (proof.passed, proof.reason) == (not reason, reason)
    assert not cluster.objects("Pod", NAMESPACE), "the stand-in is removed"
