"""Questions asked from inside the cluster, through the course's prober."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubelab.api import Cluster
from kubelab.errors import EnvironmentFault

PROBER = "prober:8080"
TIMEOUT = 2.0


@dataclass(frozen=True)
class Answer:
    """One answer: the HTTP status (None where nothing answered), the body, or the error."""

    status: int | None
    body: str
    error: str | None
    headers: dict[str, str]

    @property
    def healthy(self) -> bool:
        """Whether a kubelet would take the answer for a healthy one."""
        return self.status is not None and 200 <= self.status < 400


def http(
    cluster: Cluster,
    url: str,
    *,
    host: str | None = None,
    headers: dict[str, str] | None = None,
    timeout: float = TIMEOUT,
    count: int = 1,
) -> list[Answer]:
    """Ask a URL `count` times, each on a new connection; raises EnvironmentFault if it can't."""
    question: dict[str, Any] = {"kind": "http", "url": url, "host": host}
    question |= {"headers": headers or {}, "timeout": timeout, "count": count}
    answers = ask(cluster, question, timeout * count + 5)
    return [
        Answer(
            status=one.get("status"),
            body=str(one.get("body") or ""),
            error=one.get("error"),
            headers=one.get("headers") or {},
        )
        for one in answers
    ]


def ask(cluster: Cluster, question: dict[str, Any], timeout: float) -> list[dict[str, Any]]:
    """Put one question to the prober; raises EnvironmentFault where the prober can't be asked."""
    reply = cluster.proxied(PROBER, "ask", question, timeout=timeout)
    answers = reply.get("answers") if isinstance(reply, dict) else None
    if not answers:
        raise EnvironmentFault("The course's prober gave no answer.", look="./lab doctor")
    return list(answers)


def address(ip: str, port: int, path: str = "/", scheme: str = "http") -> str:
    """The URL of a port at an address; IPv6 gets its brackets."""
    host = f"[{ip}]" if ":" in ip else ip
    return f"{scheme.lower()}://{host}:{port}/{path.lstrip('/')}"
