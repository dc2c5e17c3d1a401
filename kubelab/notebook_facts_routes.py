"""The facts that decide predictions about ways in: of an Ingress, or of an HTTPRoute."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kubelab import endpoints, envoy, routing
from kubelab.objects import Object, dig, last_change
from kubelab.settled import FOLLOWED

if TYPE_CHECKING:
    from kubelab.notebook_facts import Asked

Facts = dict[str, Any]
# By chance a share of so many is hardly ever 9 percent off: four standard deviations.
REQUESTS = 500


def ingress(asked: Asked, body: Object | None) -> Facts | None:
    """The facts of an Ingress, asked at its first host; None where it is not there."""
    if body is None:
        return None
    facts: Facts = {
        "served": routing.is_served(body),
        "address": bool(dig(body, "status", "loadBalancer", "ingress")),
    }
    if asked.wanted & {"status", "answered_by"}:
        host = next((one.host for one in routing.rules(body) if one.host), "")
        host = host or routing.host_of("any", asked.namespace)
        (answer,) = envoy.get(asked.cluster, host, asked.path)
        # Who no longer serves it may learn of that seconds later: until then nothing is known.
        late = not facts["served"] and answer.healthy and is_fresh(body)
        facts["status"] = None if late else answer.status
        facts["answered_by"] = answer.headers.get("x-web-name")
    return {key: value for key, value in facts.items() if key in asked.wanted}


def is_fresh(body: Object) -> bool:
    """Whether an object changed so lately that requests may not follow it yet."""
    return time.time() - (last_change(body) or 0.0) < FOLLOWED


def route(asked: Asked, body: Object | None) -> Facts | None:
    """The facts of an HTTPRoute, asked at its first host; None where it is not there."""
    if body is None:
        return None
    said = {
        one["type"]: one["status"] == "True"
        for parent in dig(body, "status", "parents") or ()
        for one in parent.get("conditions") or ()
    }
    facts: Facts = {"accepted": said.get("Accepted", False)}
    facts["resolved"] = said.get("ResolvedRefs", False)
    if asked.wanted & {"requests", "percent_last"}:
        facts |= _shares(asked, body)
    return {key: value for key, value in facts.items() if key in asked.wanted}


def _shares(asked: Asked, body: Object) -> Facts:
    """How many of many requests were answered, and by the last backend of the first rule."""
    host = dig(body, "spec", "hostnames", 0) or routing.host_of("any", asked.namespace)
    name = str(dig(body, "spec", "rules", 0, "backendRefs", -1, "name"))
    service = asked.cluster.get("Service", name, asked.namespace)
    pods = asked.cluster.objects("Pod", asked.namespace)
    behind = {one["metadata"]["name"] for one in pods if endpoints.selects(service, one)}
    answers = envoy.get(asked.cluster, host, count=REQUESTS)
    good = [one for one in answers if one.healthy]
    last = sum(one.pod in behind for one in good)
    return {"requests": len(good), "percent_last": round(100 * last / len(good)) if good else 0}
