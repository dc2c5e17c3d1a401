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
