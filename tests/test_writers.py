"""Who wrote what: by the fields that the API server keeps for each writer."""

from __future__ import annotations

import time
from typing import Any

import pytest
from fakes import pod, written

from kubelab.objects import Object
from kubelab.settled import motion
from kubelab.writers import (
    COPY_LABEL,
    MANAGED_BY,
    SLICES,
    endpoints_by_hand,
    is_copy,
    status_by_hand,
    writers,
)


def owned(*entries: tuple[str, str, dict[str, Any]]) -> Object:
    """An object with managed fields: manager, subresource, fields."""
    fields = [
        {"manager": manager, "subresource": sub, "fieldsV1": tree} for manager, sub, tree in entries
    ]
    return {"metadata": {"name": "web", "managedFields": fields}}


def test_the_owners_of_a_field_are_told() -> None:
    body = owned(
        ("kubectl", "", {"f:spec": {"f:replicas": {}}}), ("hpa", "", {"f:spec": {"f:replicas": {}}})
    )
    assert writers(body, "spec", "replicas") == {"kubectl", "hpa"}
    assert writers(body, "spec", "paused") == set()
    assert writers({"metadata": {}}, "spec") == set()


@pytest.mark.parametrize(
    ("manager", "labels", "copy"),
    [
        ("kubelab", {COPY_LABEL: "web"}, True),
        ("kubectl-client-side-apply", {COPY_LABEL: "web"}, False),
        ("kube-controller-manager", {COPY_LABEL: "web"}, False),
        ("kubelab", {"app": "web"}, False),
    ],
)
def test_a_copy_is_what_the_course_labelled(
    manager: str, labels: dict[str, str], copy: bool
) -> None:
    assert is_copy(written({"metadata": {"name": "web", "labels": labels}}, manager)) is copy


def test_a_status_counts_when_kubernetes_wrote_it() -> None:
    body = owned(("kubelet", "status", {}), ("kube-scheduler", "status", {}), ("kubectl", "", {}))
    assert status_by_hand("Pod", body) is None
    body = owned(("kubelet", "status", {}), ("kubectl-patch", "status", {}))
    assert status_by_hand("Pod", body) == "kubectl-patch"
    assert status_by_hand("HTTPRoute", body) is None, "other controllers have their own"


@pytest.mark.parametrize(
    ("fields", "writer"),
    [
        ({"f:conditions": {'k:{"type":"PodScheduled"}': {}}}, None),
        ({"f:conditions": {'k:{"type":"example.org/gate"}': {}}}, None),
        ({"f:conditions": {'k:{"type":"Ready"}': {}}}, "kubectl-patch"),
        ({"f:conditions": {'k:{"type":"PodScheduled"}': {}}, "f:phase": {}}, "kubectl-patch"),
        ({"f:phase": {}}, "kubectl-patch"),
    ],
)
def test_a_condition_of_a_scheduler_or_a_gate_is_anybodys(
    fields: dict[str, Any], writer: str | None
) -> None:
    body = owned(("kubelet", "status", {}), ("kubectl-patch", "status", {"f:status": fields}))
    assert status_by_hand("Pod", body) == writer


def test_a_status_written_by_hand_is_not_at_rest() -> None:
    body = pod()
    assert motion([("Pod", body)], time.time()).settled
    body["metadata"]["managedFields"] = [{"manager": "kubectl-patch", "subresource": "status"}]
    found = motion([("Pod", body)], time.time())
    assert (found.settled, found.what) == (
        False, "The status of Pod web was written by kubectl-patch")  # fmt: skip


def test_endpoints_are_the_controllers() -> None:
    kept = owned(("kube-controller-manager", "", {"f:endpoints": {}}))
    kept["metadata"]["labels"] = {MANAGED_BY: SLICES}
    assert not endpoints_by_hand(kept)
    # A manager's name is anybody's to choose.
    assert endpoints_by_hand(owned(("kube-controller-manager", "", {"f:endpoints": {}})))
    assert endpoints_by_hand(owned(("kubectl-create", "", {"f:endpoints": {}})))
