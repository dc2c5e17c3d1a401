"""What a variable of a container holds, wherever its value comes from."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from functools import partial

from kubelab.objects import Object, dig

# Gives an object of the Pod's namespace by its kind and name, None where there is none.
Source = Callable[[str, str], Object | None]

FROM_ALL = {"configMapRef": "ConfigMap", "secretRef": "Secret"}
FROM_ONE = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}
# `$$` stands for a dollar sign, `$(NAME)` for what another variable holds.
REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")
OF_A_MAP = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


def variable(pod: Object, container: Object, name: str, source: Source) -> str:
    """The value of a container's variable as it would be set now; empty where it has none."""
    return held(pod, container, name, source, len(container.get("env") or ())) or ""


def held(pod: Object, container: Object, name: str, source: Source, before: int) -> str | None:
    """What a variable holds before the entry of `env` at this place; None where there is none."""
    for place in reversed(range(before)):
        one = container["env"][place]
        given = written(pod, one, source) if one.get("name") == name else None
        # What is optional, and not there, leaves the variable as it was.
        if given is not None:
            known = partial(held, pod, container, source=source, before=place)
            return given if one.get("valueFrom") else expanded(given, known)
    for one in reversed(container.get("envFrom") or ()):
        prefix = one.get("prefix") or ""
        for key, kind in FROM_ALL.items():
            if key in one and name.startswith(prefix):
                given = entry(kind, one[key], name.removeprefix(prefix), source)
                if given is not None:
                    return given
    return None


def expanded(text: str, known: Callable[[str], str | None]) -> str:
    """A text with `$(NAME)` replaced by what is known; what is not known stays, `$$` is `$`."""

    def replaced(one: re.Match[str]) -> str:
        value = "$" if one[1] is None else known(one[1])
        return one[0] if value is None else value

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
