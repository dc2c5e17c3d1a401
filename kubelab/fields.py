"""An object as its fields: one path a value, members of lists by their key and not by place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from kubelab.objects import Object, cleaned
from kubelab.room import quantity

# What tells the members of a list apart, in the order in which it is tried.
KEYS = ("name", "containerPort", "port", "mountPath", "ip", "topologyKey", "key")
# Ports are told apart by number: a name is one of the things that may differ.
PORT_KEYS = ("containerPort", "port", *KEYS)
# Below these, numbers are quantities: `500m` is the same as `0.5`.
QUANTITIES = frozenset(("requests", "limits", "hard", "capacity", "sizeLimit", "default"))
# Where an object is, what it is called, and what the server chooses where nobody says it.
IDENTITY = (
    "apiVersion",
    "kind",
    "metadata.name",
    "metadata.generateName",
    "metadata.namespace",
)
CHOSEN = (
    ".pod-template-hash",
    ".nodePort",
    ".clusterIP",
    ".healthCheckNodePort",
    # What is computed from numbers that no two namespaces share.
    "data.total",
    "[kubernetes.io/change-cause]",
    "[kubectl.kubernetes.io/restartedAt]",
)

# The value of a member that has nothing but its key.
THERE = "is there"

Fields = dict[str, Any]


def fields(body: Object) -> Fields:
    """Every value of an object by its path (`spec.containers[web].image`), without identity."""
    found = dict(flat(cleaned(body), ""))
    return {path: value for path, value in found.items() if path not in IDENTITY}


def flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The paths and values below a value; what is empty has none."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from flat(one, f"{path}.{step(str(key))}" if path else str(key))
        if not value and path:
            # `emptyDir: {}` says something, though it holds nothing.
            yield path, {}
    elif isinstance(value, list):
        key = key_of(value, path)
        for place, one in enumerate(value):
            # What tells the members apart is said by the path; it is no field of its own.
            rest = {name: field for name, field in one.items() if name != key} if key else one
            at = f"{path}[{one[key] if key else place}]"
            yield from flat(rest, at) if rest or not key else [(at, THERE)]
    elif value is not None:
        yield path, value


def step(key: str) -> str:
    """A key as a part of a path; one with dots, as a label's, stands in brackets."""
    return f"[{key}]" if "." in key or "/" in key else key


def key_of(several: list[Any], path: str) -> str | None:
    """The field that tells a list's members apart; None where their place does."""
    if not several or not all(isinstance(one, Mapping) for one in several):
        return None
    for name in PORT_KEYS if path.endswith("ports") else KEYS:
        keys = {str(one[name]) for one in several if name in one}
        if len(keys) == len(several):
            return name
    return None


def same(path: str, one: Any, other: Any) -> bool:
    """Whether two values say the same: quantities as quantities, numbers as numbers."""
    if one == other:
        return True
    if one is None or other is None or isinstance(one, list | dict):
        return False
    if QUANTITIES & set(path.replace("[", ".").replace("]", "").split(".")):
        with suppress(ValueError):
            return quantity(one) == quantity(other)
    return False


def chosen(path: str) -> bool:
    """Whether server or kubectl choose this value where no manifest says it."""
    return path.endswith(CHOSEN)
