"""Room in a namespace for the course's copies: what they ask, and what its quota leaves."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from kubelab.objects import Object, dig, is_sidecar

# A copy asks no more than this. Requests decide where a Pod runs, not what it does, and no
# container of the course comes near this limit.
MOST_REQUESTED = {"cpu": "100m", "memory": "128Mi"}
MOST_LIMITED = {"memory": "256Mi"}

FIELDS = ("requests", "limits")
NUMBER = re.compile(r"^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)$")
UNITS = {"": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3}
UNITS |= {one: 1e3 ** (power + 2) for power, one in enumerate("MGTPE")}
UNITS |= {f"{one}i": 1024.0 ** (power + 1) for power, one in enumerate("KMGTPE")}


def quantity(text: str | float | None) -> float:
    """A quantity of the API as a number: `100m` is 0.1, `1Gi` is 1073741824."""
    found = NUMBER.match(str(text or 0).strip())
    if found is None or found[2] not in UNITS:
        raise ValueError(f"{text!r} is no quantity")
    return float(found[1]) * UNITS[found[2]]


def modest(container: Object, *, limited: bool = True) -> None:
    """Lower what a copy's container asks for where it is much; its limits, too, if `limited`."""
    bounds = {"requests": MOST_REQUESTED} | ({"limits": MOST_LIMITED} if limited else {})
    for field, most in bounds.items():
        asked = dig(container, "resources", field) or {}
        for name, limit in most.items():
            if name in asked and quantity(asked[name]) > quantity(limit):
                asked[name] = limit


def fit(pod: Object, limits: Iterable[Object]) -> None:
    """Raise or lower what a copy's containers ask for to what the namespace's LimitRanges admit."""
    several = [one for body in limits for one in dig(body, "spec", "limits") or ()]
    for limit in several:
        if limit.get("type") != "Container":
            continue
        for box in (*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())):
            for field in FIELDS:
                asked = dig(box, "resources", field) or {}
                for name in asked:
                    for which, bound in (("min", max), ("max", min)):
                        if edge := dig(limit, which, name):
                            asked[name] = bound(str(asked[name]), str(edge), key=quantity)
            within_ratio(box, limit, several)


def within_ratio(box: Object, limit: Object, several: Iterable[Object]) -> None:
    """Raise what a container asks for to what a LimitRange wants beside its limits, or defaults."""
    defaults = {name: one for each in several for name, one in (each.get("default") or {}).items()}
    for name, ratio in (limit.get("maxLimitRequestRatio") or {}).items():
        asked = dig(box, "resources", "requests") or {}
        most = dig(box, "resources", "limits", name) or defaults.get(name)
        if name in asked and most:
            least = quantity(most) / max(1.0, quantity(ratio))
            if quantity(asked[name]) < least:
                # Nothing smaller can be asked for than a thousandth of a CPU, or a byte.
                exact = f"{math.ceil(least * 1000)}m" if name == "cpu" else str(math.ceil(least))
                asked[name] = str(most) if quantity(ratio) <= 1 else exact


def counts(quota: Object, pod: Object) -> bool:
    """Whether a quota counts a Pod, by its scopes; one that asks in another way is the server's."""
    if dig(quota, "spec", "scopeSelector"):
        return False
    ends = pod["spec"].get("activeDeadlineSeconds") is not None
    boxes = (*pod["spec"]["containers"], *pod["spec"].get("initContainers", ()))
    best = not any(dig(one, "resources", field) for one in boxes for field in FIELDS)
    holds = {
        "Terminating": ends,
        "NotTerminating": not ends,
        "BestEffort": best,
        "NotBestEffort": not best,
    }
    return all(holds.get(scope, False) for scope in dig(quota, "spec", "scopes") or ())


def asked(pod: Object) -> dict[str, float]:
    """What a Pod counts for in a quota: `pods`, `requests.cpu`, `limits.memory`, ..."""
    spec = pod["spec"]
    first = spec.get("initContainers", ())
    sidecars = list(filter(is_sidecar, first))
    found = {"pods": 1.0, "count/pods": 1.0}
    for field in FIELDS:
        running = total(dig(one, "resources", field) for one in (*spec["containers"], *sidecars))
        starting = [total([dig(one, "resources", field)]) for one in first]
        for name in {*running, *(name for one in starting for name in one)}:
            most = max([running.get(name, 0.0), *(one.get(name, 0.0) for one in starting)])
            found[f"{field}.{name}"] = most
            if field == "requests":
                found[name] = most
    return found


def total(several: Iterable[Mapping[str, str] | None]) -> dict[str, float]:
    """The sum of several lists of resources."""
    found: dict[str, float] = {}
    for one in several:
        for name, value in (one or {}).items():
            found[name] = found.get(name, 0.0) + quantity(value)
    return found


def fault_of_room(quotas: Iterable[Object], copies: Sequence[Object]) -> str | None:
    """What several copies lack in a namespace, in words; None where there is room."""
    for quota in quotas:
        needed: dict[str, float] = {}
        for copy in copies:
            for name, value in asked(copy).items() if counts(quota, copy) else ():
                needed[name] = needed.get(name, 0.0) + value
        hard, used = dig(quota, "status", "hard") or {}, dig(quota, "status", "used") or {}
        for name, limit in hard.items():
            if name in needed and quantity(used.get(name)) + needed[name] > quantity(limit):
                return f"{used.get(name, 0)} of {limit} {name} are in use"
    return None
