"""Room for copies in a quota."""

from __future__ import annotations

from typing import Any

import pytest

from kubelab.objects import Object
from kubelab.room import asked, fault_of_room, fit, modest, quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("100m", 0.1),
        ("2", 2.0),
        (3, 3.0),
        (None, 0.0),
        ("1Ki", 1024.0),
        ("4Gi", 4 * 1024.0**3),
        ("1M", 1e6),
        ("1k", 1e3),
        ("1e3", 1e3),
        ("0.5", 0.5),
    ],
)
def test_a_quantity_is_a_number(text: Any, value: float) -> None:
    assert quantity(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "a", "1Qi", "Gi"])
def test_what_is_no_quantity_is_told(text: str) -> None:
    if text:
        with pytest.raises(ValueError, match="no quantity"):
            quantity(text)
    else:
        assert quantity(text) == 0.0


def box(cpu: str, memory: str, **more: Any) -> Object:
    requests = {"cpu": cpu, "memory": memory}
    return {"resources": {"requests": requests, "limits": {"memory": "256Mi"}}} | more


def test_a_pod_counts_by_its_largest_moment() -> None:
    first = [box("1", "16Mi"), box("50m", "16Mi", restartPolicy="Always")]
    found = asked({"spec": {"containers": [box("100m", "64Mi")], "initContainers": first}})
    assert found["requests.cpu"] == found["cpu"] == pytest.approx(1.0), "while it starts"
    assert found["requests.memory"] == quantity("80Mi"), "container and sidecar together"
    assert found["limits.memory"] == quantity("512Mi")
    assert found["pods"] == 1


def test_several_copies_need_room_together() -> None:
    copy = {"spec": {"containers": [box("100m", "64Mi")]}}
    hard = {"limits.memory": "1Gi", "services": "1"}
    quota = {"status": {"hard": hard, "used": {"limits.memory": "512Mi"}}}
    assert fault_of_room([quota], [copy, copy]) is None
    assert fault_of_room([quota], [copy] * 3) == "512Mi of 1Gi limits.memory are in use"
    assert fault_of_room([], [copy] * 9) is None


@pytest.mark.parametrize(
    ("scopes", "full"),
    [
        ([], True),
        (["Terminating"], True),
        (["NotTerminating"], False),
        (["Terminating", "NotBestEffort"], True),
        (["BestEffort"], False),
        (["Invented"], False),
    ],
)
def test_a_quota_counts_what_its_scopes_say(scopes: list[str], full: bool) -> None:
    copy = {"spec": {"containers": [box("100m", "64Mi")], "activeDeadlineSeconds": 60}}
    quota = {"spec": {"scopes": scopes}, "status": {"hard": {"pods": "1"}, "used": {"pods": "1"}}}
    assert (fault_of_room([quota], [copy]) is not None) is full
    assert fault_of_room([quota | {"spec": {"scopeSelector": {"x": 1}}}], [copy]) is None


def test_a_copy_asks_what_a_limit_range_admits() -> None:
    limits = [
        {"type": "Pod", "min": {"cpu": "4"}},
        {"type": "Container", "min": {"cpu": "0.05", "memory": "64Mi"}, "max": {"memory": "128Mi"}},
    ]
    copy = {"spec": {"containers": [box("10m", "32Mi")], "initContainers": [{"name": "first"}]}}
    fit(copy, [{"spec": {"limits": limits}}])
    (asked_for,) = copy["spec"]["containers"]
    assert asked_for["resources"] == {
        "requests": {"cpu": "0.05", "memory": "64Mi"},
        "limits": {"memory": "128Mi"},
    }
    assert copy["spec"]["initContainers"] == [{"name": "first"}]


@pytest.mark.parametrize(
    ("ratio", "asked_for"),
    [
        ({"memory": "1"}, {"cpu": "10m", "memory": "256Mi"}),
        ({"memory": "3"}, {"cpu": "10m", "memory": str(-(-256 * 1024**2 // 3))}),
        ({"memory": "8", "cpu": "4"}, {"cpu": "50m", "memory": "32Mi"}),
    ],
)
def test_a_copy_asks_for_as_much_of_its_limit_as_a_limit_range_wants(
    ratio: Object, asked_for: Object
) -> None:
    """Where a container has no limit, the LimitRange's default is its limit."""
    limits = [
        {"type": "Container", "maxLimitRequestRatio": ratio},
        {"type": "Container", "default": {"cpu": "0.2"}},
    ]
    copy = {"spec": {"containers": [box("10m", "32Mi"), {"name": "asks nothing"}]}}
    fit(copy, [{"spec": {"limits": [one]}} for one in limits])
    first, second = copy["spec"]["containers"]
    assert first["resources"]["requests"] == asked_for
    assert second == {"name": "asks nothing"}


def test_a_copy_is_modest_and_keeps_what_is_small() -> None:
    big = box("2", "2Gi")
    big["resources"]["limits"] = {"memory": "4Gi", "cpu": "2"}
    modest(big)
    assert big["resources"] == {
        "requests": {"cpu": "100m", "memory": "128Mi"},
        "limits": {"memory": "256Mi", "cpu": "2"},
    }
    small = box("20m", "32Mi")
    modest(small)
    assert small == box("20m", "32Mi")
