"""The shop's images together on the cluster: web counts visits in a real redis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from asking import until

from kubelab import ask
from kubelab.api import Cluster, connect
from kubelab.site import Site

NAMESPACE = "e2e-shop"
OBJECTS: list[dict[str, Any]] = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "store", "namespace": NAMESPACE},
        "spec": {"selector": {"app": "store"}, "ports": [{"port": 6379}]},
    },
]


def pod(name: str, image: str, **more: Any) -> dict[str, Any]:
    """A Pod of one container, labelled with its name."""
    container = {"name": name, "image": image, "imagePullPolicy": "Never", **more}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": name}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
    }


PODS = [
    pod("store", "kubelab/redis:1.0"),
    pod("web", "kubelab/web:1.0", env=[{"name": "STORE_HOST", "value": "store"}]),
]


@pytest.fixture(scope="module")
def cluster(kind_cluster: Any, site: Site) -> Iterator[Cluster]:
    """The two Pods, ready, in a namespace of the test's own."""
    found = connect(site)
    for body in (*OBJECTS, *PODS):
        found.apply(body, body["metadata"].get("namespace"))
    try:
        kind_cluster.kubectl(
            "-n", NAMESPACE, "wait", "--for=condition=Ready", "pods", "--all", "--timeout=90s"
        )
        # No probe asks them: both may listen only a moment after they are called ready.
        assert until(lambda: visit(found, "first"), lambda one: one[0] == 200, 60)[0] == 200
        yield found
    finally:
        found.delete("Namespace", NAMESPACE)


def visit(cluster: Cluster, visitor: str) -> tuple[int | None, dict[str, Any]]:
    """Ask the page for a visitor; the status and what it says, None where nothing answered."""
    web = cluster.get("Pod", "web", NAMESPACE) or {}
    url = ask.address(web["status"]["podIP"], 8080, f"/visits?visitor={visitor}")
    (answer,) = ask.http(cluster, url, timeout=5)
    return answer.status, json.loads(answer.body or "{}")


def test_visits_are_counted_in_a_real_redis(cluster: Cluster) -> None:
    """The Service's name is looked up, and its variable STORE_PORT is no port number."""
    counts = [visit(cluster, "ann")[1]["count"] for _ in range(3)]
    assert counts == [1, 2, 3]
    status, other = visit(cluster, "b%C3%B6")
    assert (status, other["count"], other["visitor"]) == (200, 1, "bö")
    assert other["store"] == "store:6379"


def test_a_new_store_counts_from_nothing_and_the_page_finds_it(cluster: Cluster) -> None:
    """Nothing is on disk; the page needs no restart."""
    assert visit(cluster, "eve")[1]["count"] == 1
    cluster.delete("Pod", "store", NAMESPACE)
    status, told = until(lambda: visit(cluster, "eve"), lambda one: one[0] == 503)
    assert (status, "The store store:6379 is away" in told["error"]) == (503, True)
    cluster.apply(PODS[0], NAMESPACE)
    # Another visitor waits: what the page answers too late is counted all the same.
    assert until(lambda: visit(cluster, "adam"), lambda one: one[0] == 200, 60)[0] == 200
    status, found = visit(cluster, "eve")
    assert (status, found["count"]) == (200, 1)
