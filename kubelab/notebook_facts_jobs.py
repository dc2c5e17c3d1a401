"""The facts that decide predictions about a Job: how it stands, and when its Pods worked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubelab import jobs
from kubelab.objects import Object, dig, seconds

if TYPE_CHECKING:
    from kubelab.notebook_facts import Asked

Facts = dict[str, Any]


def job(asked: Asked, body: Object | None) -> Facts | None:
    """The facts of a Job; None where it is not there."""
    if body is None:
        return None
    status, end = body.get("status") or {}, jobs.ending(body)
    pods = jobs.pods_of(body, asked.cluster.objects("Pod", asked.namespace))
    begun = seconds(status.get("startTime"))
    over = seconds(status.get("completionTime") or end.get("lastTransitionTime"))
    facts: Facts = {
        "ended": end.get("type"),
        "end_reason": end.get("reason"),
        "pods": len(pods),
        "active": status.get("active", 0),
        "succeeded": status.get("succeeded", 0),
        "failed": status.get("failed", 0),
        "most_at_once": jobs.pods_at_once(jobs.run_of(one) for one in pods),
        "seconds": round(over - begun) if end and over and begun else None,
        "suspended": bool(dig(body, "spec", "suspend")),
    }
    return {key: value for key, value in facts.items() if key in asked.wanted}
