"""What a variable of a container holds, wherever its value comes from."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from kubelab.objects import Object, dig

# Gives an object of the Pod's namespace by its kind and name, None where there is none.
Source = Callable[[str, str], Object | None]

FROM_ALL = {"configMapRef": "ConfigMap", "secretRef": "Secret"}
FROM_ONE = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}
# `$$` stands for a dollar sign, `$(NAME)` for what another variable holds.
REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")
# Linux starts nothing with an environment of more bytes than this, some beside each variable: what
# has doubled itself until then is read no further.
MOST, BESIDE = 6 << 20, 10
OF_A_MAP = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


def variable(pod: Object, container: Object, name: str, source: Source) -> str:
    """The value of a container's variable as it would be set now; empty where it has none."""
    known: dict[str, str] = {}
    left = MOST
    for one, value in given(pod, container, cache(source), known):
        left -= len(one) + len(value) + BESIDE
        if left < 0:
            break
        known[one] = value
    return known.get(name, "")


def given(
    pod: Object, container: Object, source: Source, known: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """The variables that a container sets, in the kubelet's order: a later one counts.

    `known` is what was given before, for `$(NAME)`. The variables of Services are left out.
    """
    for one in container.get("envFrom") or ():
        prefix = one.get("prefix") or ""
        for key, kind in FROM_ALL.items():
            if key in one:
                several = contents(kind, source(kind, str(one[key].get("name"))))
                yield from ((prefix + name, value) for name, value in several.items())
    for one in container.get("env") or ():
        value = written(pod, one, source)
        # What is optional, and not there, leaves the variable as it was.
        if value is not None:
            yield str(one.get("name")), value if one.get("valueFrom") else expanded(value, known)


def expanded(text: str, known: Mapping[str, str]) -> str:
    """A text with `$(NAME)` replaced by what is known; what is not known stays, `$$` is `$`."""
    left = MOST

    def replaced(one: re.Match[str]) -> str:
        nonlocal left
        value = "$" if one[1] is None else known.get(one[1], one[0])
        left -= len(value)
        return value if left >= 0 else ""

    return REFERENCE.sub(replaced, text)


def written(pod: Object, one: Object, source: Source) -> str | None:
    """The value that an entry of `env` gives, as it is written; None where it gives none."""
    given = one.get("valueFrom") or {}
    for key, kind in FROM_ONE.items():
        if key in given:
            return entry(kind, given[key], given[key]["key"], source)
    path = dig(given, "fieldRef", "fieldPath")
    return field(pod, str(path)) if path else str(one.get("value") or "")


def entry(kind: str, reference: Object, key: str, source: Source) -> str | None:
    """What a ConfigMap or a Secret holds under a key."""
    return contents(kind, source(kind, str(reference.get("name")))).get(key)


def contents(kind: str, body: Object | None) -> dict[str, str]:
    """The texts of a ConfigMap or a Secret by their keys; none where it is not there."""
    data: dict[str, str] = dig(body, "data") or {}
    if kind != "Secret":
        return data
    return {key: base64.b64decode(text).decode(errors="replace") for key, text in data.items()}


def field(pod: Object, path: str) -> str:
    """A field of the Pod's own, as `fieldRef` names it; empty where it is not set."""
    found = OF_A_MAP.fullmatch(path)
    value = dig(pod, "metadata", *found.groups()) if found else dig(pod, *path.split("."))
    return "" if value is None else str(value)
