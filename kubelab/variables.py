"""What a variable of a container holds, wherever its value comes from."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

from kubelab.objects import Object, dig

# Gives an object of the Pod's namespace by its kind and name, None where there is none.
Source = Callable[[str, str], Object | None]

FROM_ALL = {"configMapRef": "ConfigMap", "secretRef": "Secret"}
FROM_ONE = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}
OF_A_MAP = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


def variable(pod: Object, container: Object, name: str, source: Source) -> str:
    """The value of a container's variable as it would be set now; empty where it has none."""
    value = None
    for one in container.get("envFrom") or ():
        prefix = one.get("prefix") or ""
        for key, kind in FROM_ALL.items():
            if key in one and name.startswith(prefix):
                found = entry(kind, one[key], name.removeprefix(prefix), source)
                value = value if found is None else found
    for one in container.get("env") or ():
        if one.get("name") == name:
            value = written(pod, one, source)
    return value or ""


def written(pod: Object, one: Object, source: Source) -> str | None:
    """The value that an entry of `env` gives."""
    given = one.get("valueFrom") or {}
    for key, kind in FROM_ONE.items():
        if key in given:
            return entry(kind, given[key], given[key]["key"], source)
    path = dig(given, "fieldRef", "fieldPath")
    return field(pod, str(path)) if path else one.get("value")


def entry(kind: str, reference: Object, key: str, source: Source) -> str | None:
    """What a ConfigMap or a Secret holds under a key."""
    text: str | None = dig(source(kind, str(reference.get("name"))), "data", key)
    if text is None or kind == "ConfigMap":
        return text
    return base64.b64decode(text).decode(errors="replace")


def field(pod: Object, path: str) -> str | None:
    """A field of the Pod's own, as `fieldRef` names it."""
    found = OF_A_MAP.fullmatch(path)
    value = dig(pod, "metadata", *found.groups()) if found else dig(pod, *path.split("."))
    return None if value is None else str(value)
