"""What a variable of a container holds, wherever its value comes from."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import shop

from kubelab import endpoints
from kubelab.variables import variable

OBJECTS = {
    ("ConfigMap", "settings"): {"data": {"POD_NAME": "api", "NAME": "from-map"}},
    ("ConfigMap", "short"): {"data": {"NAME": "prefixed"}},
    ("Secret", "hidden"): {"data": {"POD_NAME": base64.b64encode(b"secret").decode()}},
}
SETTINGS, HIDDEN = {"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "hidden"}}


def source(kind: str, name: str) -> Any:
    return OBJECTS.get((kind, name))


def env(**given: Any) -> dict[str, Any]:
    return {"env": [{"name": "POD_NAME"} | given]}


def chosen(**reference: Any) -> dict[str, Any]:
    return env(valueFrom=reference)


def after(before: str, **given: Any) -> dict[str, Any]:
    return {"env": [{"name": "BEFORE", "value": before}, {"name": "POD_NAME"} | given]}


AWAY = chosen(configMapKeyRef={"name": "away", "key": "NAME", "optional": True})


@pytest.mark.parametrize(
    ("container", "value"),
    [
        ({}, ""),
        (env(value="plain"), "plain"),
        ({"envFrom": [SETTINGS]}, "api"),
        ({"envFrom": [SETTINGS, HIDDEN]}, "secret"),
        ({"envFrom": [HIDDEN, {"configMapRef": {"name": "away"}}]}, "secret"),
        ({"envFrom": [{"configMapRef": {"name": "short"}, "prefix": "POD_"}]}, "prefixed"),
        ({"envFrom": [SETTINGS | {"prefix": "MY_"}]}, ""),
        ({"envFrom": [SETTINGS]} | env(value=""), ""),
        (chosen(configMapKeyRef={"name": "settings", "key": "NAME"}), "from-map"),
        (chosen(configMapKeyRef={"name": "away", "key": "NAME", "optional": True}), ""),
        (chosen(secretKeyRef={"name": "hidden", "key": "POD_NAME"}), "secret"),
        (chosen(fieldRef={"fieldPath": "metadata.name"}), "api-1-a"),
        (chosen(fieldRef={"fieldPath": "metadata.labels['app']"}), "shop"),
        (chosen(fieldRef={"fieldPath": "metadata.annotations['app']"}), ""),
        (chosen(fieldRef={"fieldPath": "status.podIP"}), "10.0.0.1"),
        (chosen(resourceFieldRef={"resource": "limits.cpu"}), ""),
        (after("node-7", value="web on $(BEFORE)"), "web on node-7"),
        (after("node-7", value="$(BEFORE)$(BEFORE)"), "node-7node-7"),
        (after("node-7", value="$$(BEFORE) costs 5$"), "$(BEFORE) costs 5$"),
        (after("node-7", value="$$$(BEFORE)"), "$node-7"),
        (after("$(NOWHERE)", value="$(BEFORE) $(BEFORE"), "$(NOWHERE) $(BEFORE"),
        (after("$$(A)", value="$(BEFORE)"), "$(A)"),
        ({"env": [{"name": "POD_NAME", "value": "$(B)"}, {"name": "B", "value": "b"}]}, "$(B)"),
        ({"envFrom": [SETTINGS]} | env(value="my $(NAME)"), "my from-map"),
        ({"envFrom": [SETTINGS]} | env(value="my $(POD_NAME)"), "my api"),
        ({"envFrom": [SETTINGS]} | AWAY, "api"),
    ],
)
def test_a_variable_is_found_where_its_value_comes_from(container: Any, value: str) -> None:
    pod = shop.pod("api-1-a", 1, {"app": "shop"})
    assert variable(pod, container, "POD_NAME", source) == value
    pod["spec"]["containers"][0] |= container
    assert endpoints.called(pod, source) == (value or "api-1-a")


def test_the_entries_are_read_in_their_order_and_the_last_one_counts() -> None:
    several = [("B", "b"), ("POD_NAME", "$(B)"), ("B", "c"), ("POD_NAME", "$(POD_NAME)$(B)")]
    container = {"env": [{"name": name, "value": value} for name, value in several]}
    assert variable({}, container, "POD_NAME", source) == "bc"
    optional = {"configMapKeyRef": {"name": "away", "key": "X", "optional": True}}
    container["env"] += [{"name": "POD_NAME", "valueFrom": optional}]
    assert variable({}, container, "POD_NAME", source) == "bc"


def test_what_comes_from_elsewhere_is_not_read_for_references() -> None:
    def away(kind: str, name: str) -> Any:
        return {"data": {"A": "$(B)", "B": "b"}}

    taken = chosen(configMapKeyRef={"name": "x", "key": "A"}) | {"envFrom": [SETTINGS]}
    assert variable({}, taken, "POD_NAME", away) == "$(B)"
    assert variable({}, {"envFrom": [SETTINGS]} | env(value="$(A)"), "POD_NAME", away) == "$(B)"


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("times", "value"),
    [(5_000, "$(POD_NAME)"), (200, "$(POD_NAME)$(POD_NAME)"), (3, "$(POD_NAME)" * 100_000)],
    ids=["long", "doubling", "wide"],
)
def test_no_variable_takes_for_ever(times: int, value: str) -> None:
    """However often one speaks of itself: no container can be started with more than some MiB."""
    first = {"name": "POD_NAME", "value": "web" * 100}
    container = {"env": [first, *[{"name": "POD_NAME", "value": value}] * times]}
    assert variable({}, container, "POD_NAME", source).startswith("web")


@pytest.mark.timeout(30)
def test_a_source_that_is_named_often_is_read_once() -> None:
    asked = []

    def counted(kind: str, name: str) -> Any:
        asked.append(name)
        return {"data": {f"K{number}": "x" * 100 for number in range(1_000)}}

    container = {"envFrom": [SETTINGS | {"prefix": f"P{number}"} for number in range(10_000)]}
    assert variable({}, container, "P0K7", counted) == "x" * 100
    assert asked == ["settings"]
