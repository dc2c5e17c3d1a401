"""Removing a namespace, and what is said of one that does not go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import FakeCluster, pod

from kubelab import removal
from kubelab.errors import EnvironmentFault
from kubelab.objects import Object, meta
from kubelab.site import Site


class Terminating(FakeCluster):
    """A cluster whose namespaces stay on their way out until nothing is left in them."""

    conditions: tuple[Object, ...] = ()

    def delete(self, kind: str, name: str, namespace: str | None = None, grace: int = 0) -> None:
        there = self.stored.get((kind, namespace, name))
        if kind != "Namespace" or there is None:
            if not (there and meta(there).get("finalizers")):
                super().delete(kind, name, namespace, grace)
            return
        meta(there)["deletionTimestamp"] = "2026-11-24T12:00:00Z"
        there["status"] = {"phase": "Terminating", "conditions": list(self.conditions)}

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        found = super().get(kind, name, namespace)
        leaving = kind == "Namespace" and found and meta(found).get("deletionTimestamp")
        if not leaving or any(place == name for _, place, _ in self.stored):
            return found
        del self.stored[kind, None, name]
        return None


REMAINING = {"type": "NamespaceFinalizersRemaining", "status": "True", "message": "x in 1"}


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminating:
    monkeypatch.setattr(removal, "STEP", 0)
    found = Terminating(Site(root=tmp_path))
    found.put("Pod", pod(), "lab-90")
    return found


def held(cluster: Terminating, *names: str) -> None:
    cluster.conditions = (REMAINING,)
    for name in names:
        metadata = {"name": name, "finalizers": ["example.com/keep"]}
        body = {"metadata": metadata | {"deletionTimestamp": "2026-11-24T12:00:00Z"}}
        cluster.put("ConfigMap", body, "lab-90")


def test_a_job_that_holds_its_failed_pod_goes_with_the_namespace(cluster: Terminating) -> None:
    """Of a Job that is gone nobody holds a Pod any more; no other one makes it anew."""
    tracked = {"finalizers": ["batch.kubernetes.io/job-tracking"]}
    body = pod()
    meta(body).update(tracked | {"name": "flaky-0"})
    cluster.put("Pod", body, "lab-90")
    cluster.put("Job", {"metadata": {"name": "flaky"}}, "lab-90")
    cluster.put("Namespace", {"metadata": {"name": "lab-90"}})
    given = cluster.delete

    def delete(kind: str, name: str, namespace: str | None = None, grace: int = 0) -> None:
        given(kind, name, namespace, grace)
        if kind == "Job":
            assert meta(cluster.stored["Namespace", None, "lab-90"])["deletionTimestamp"]
            del meta(cluster.stored["Pod", "lab-90", "flaky-0"])["finalizers"]

    cluster.delete = delete  # type: ignore[method-assign]
    removal.remove(cluster, "lab-90", limit=5.0)
    assert cluster.get("Namespace", "lab-90") is None


def test_a_namespace_goes_with_its_pods_and_none_of_them_is_given_time(
    cluster: Terminating,
) -> None:
    removal.remove(cluster, "lab-90")
    assert cluster.get("Namespace", "lab-90") is None
    assert "delete Pod" in cluster.calls


def test_a_namespace_that_is_gone_is_no_error(cluster: Terminating) -> None:
    removal.remove(cluster, "lab-91")


def test_a_finalizer_that_holds_it_is_told_with_its_object_and_a_command(
    cluster: Terminating,
) -> None:
    held(cluster, "stuck")
    with pytest.raises(EnvironmentFault) as told:
        removal.remove(cluster, "lab-90", patience=0)
    assert "ConfigMap `stuck` is held by its finalizer `example.com/keep`" in told.value.message
    assert told.value.exit_code == 4
    assert told.value.look == (
        "kubectl -n lab-90 patch configmap stuck --type=merge "
        """-p '{"metadata":{"finalizers":null}}'"""
    )


def test_of_several_held_objects_one_is_named_and_the_others_are_counted(
    cluster: Terminating,
) -> None:
    held(cluster, "a", "b", "c")
    with pytest.raises(EnvironmentFault, match=r"ConfigMap `a` \(and 2 more\) is held"):
        removal.remove(cluster, "lab-90", patience=0)


def test_without_a_finalizer_the_namespaces_own_words_are_told(cluster: Terminating) -> None:
    message = "Discovery failed for some groups"
    failure = {"type": "NamespaceDeletionDiscoveryFailure", "status": "True", "message": message}
    cluster.conditions = (failure,)
    cluster.put("Service", {"metadata": {"name": "web"}}, "lab-90")
    with pytest.raises(EnvironmentFault, match=message):
        removal.remove(cluster, "lab-90", limit=0)


def test_a_held_copy_of_a_crashed_check_holds_no_namespace(
    cluster: Terminating, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept: list[str] = []
    sweep: Callable[..., None] = lambda _, namespace: swept.append(namespace)  # noqa: E731
    monkeypatch.setattr(removal.acting, "sweep", sweep)
    removal.remove(cluster, "lab-90")
    assert swept == ["lab-90"]
