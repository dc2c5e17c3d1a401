"""Histories: what an object was, from when on."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

# `[at, value]`, the newest last.
History = list[list[Any]]

LONGEST = 60  # changes of one history
NEAR = 2.0


def note(history: History, at: float, value: Any) -> bool:
    """Add a value to a history if it is another one than before; whether it was.

    The first value stays for ever, and the newest ones.
    """
    if history and history[-1][1] == value:
        return False
    # What the object says of itself may be older than what was seen of it.
    history.append([max(at, history[-1][0]) if history else at, value])
    if len(history) > LONGEST:
        del history[1]
    return True


def moment(stated: str | None, now: float) -> float:
    """When something happened that is heard of now, and that an object gives a whole second to.

    Now, if that may be: it is more exact. Otherwise nobody watched, and the object is right.
    """
    at = epoch(stated)
    return now if at is None or now - at < NEAR else at


def epoch(stamp: str | None) -> float | None:
    """A time of the API as seconds since the epoch."""
    if not stamp:
        return None
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def controller(body: Any) -> dict[str, str] | None:
    """The object's controller: kind, name, uid."""
    for one in body["metadata"].get("ownerReferences") or ():
        if one.get("controller"):
            return {key: one[key] for key in ("kind", "name", "uid")}
    return None


def stub(body: Any) -> dict[str, Any]:
    """As much of a Pod, in the API's own fields, as tells when its containers worked."""
    meta, spec, status = body["metadata"], body["spec"], body.get("status") or {}

    def some(parts: Any, *keys: str) -> list[dict[str, Any]]:
        return [{key: one[key] for key in keys if key in one} for one in parts or ()]

    conditions = [one for one in status.get("conditions") or () if one.get("type") == "Ready"]
    return {
        "metadata": {key: meta[key] for key in ("name", "creationTimestamp")},
        "spec": {
            "containers": some(spec["containers"], "name"),
            "initContainers": some(spec.get("initContainers"), "name", "restartPolicy"),
        },
        "status": {
            "phase": status.get("phase"),
            "conditions": some(conditions, "type", "status", "lastTransitionTime"),
            "containerStatuses": some(status.get("containerStatuses"), "name", "state"),
            "initContainerStatuses": some(status.get("initContainerStatuses"), "name", "state"),
        },
    }


def images(spec: Any) -> dict[str, str]:
    """The image of each container of a Pod's spec, those of its init containers last."""
    several = (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
    return {one["name"]: one.get("image", "") for one in several}


def version(found: dict[str, str]) -> str | None:
    """The tag of the container that runs the course's web image."""
    for image in found.values():
        name, _, tag = image.partition("@")[0].rpartition(":")
        if name == "kubelab/web" or name.endswith("/kubelab/web"):
            return tag
    return None


def fingerprint(body: Any) -> str:
    """A short hash that is the same for the same content."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
