"""An audit event of the API server, cut down to who did what, when.

Source: audit.k8s.io/v1, Event.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from .service import Json

LONGEST = 200  # characters of a user agent
CONTROLLERS = "system:serviceaccount:kube-system:"


def entry(line: bytes) -> Json | None:
    """The entry of a line of the log; None where it is no event."""
    try:
        event = json.loads(line)
        at = datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp()
        target = event.get("objectRef") or {}
        # What one request says at two of its stages is two entries.
        return {
            "id": f"{event['auditID']}/{event['stage']}",
            "at": at,
            "stage": event["stage"],
            "verb": event["verb"],
            "user": _name(event.get("user")),
            "impersonated": _name(event.get("impersonatedUser")),
            "user_agent": str(event.get("userAgent") or "")[:LONGEST],
            "group": target.get("apiGroup", ""),
            "resource": target.get("resource", ""),
            "subresource": target.get("subresource", ""),
            "namespace": target.get("namespace", ""),
            "name": target.get("name", ""),
            "uid": target.get("uid"),
            "dry_run": "dryRun=" in event.get("requestURI", ""),
            "code": (event.get("responseStatus") or {}).get("code"),
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def whose(told: Json) -> str:
    """Whose deed it is: of people (the course, too), accounts, nodes or components.

    An account runs in some Pod of the cluster; those of kube-system are the controllers.
    """
    user = str(told["user"])
    if told["impersonated"] or not user.startswith("system:"):
        return "people"
    if user.startswith("system:node:"):
        return "nodes"
    if user.startswith("system:serviceaccount:") and not user.startswith(CONTROLLERS):
        return "accounts"
    return "components"


def refused(told: Json) -> bool:
    """Whether it changed nothing, for the API server said no."""
    code = told["code"]
    return isinstance(code, int) and code >= 400


def _name(user: Any) -> str | None:
    return user.get("username") if isinstance(user, dict) else None
