"""The API server as a Pod with a ServiceAccount reads it: lists, and watches that go on."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from .service import Json

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
CONNECT = 5.0
PATIENCE = 30.0
# The API server says something at least every minute (a bookmark); a dead connection nothing.
SILENCE = 100.0
WATCH = 300  # seconds of one watch; the next one goes on where it ended


class ExpiredError(Exception):
    """A watch cannot go on: list again.

    What is asked for is older than the API server remembers, or a sentence says what else is wrong.
    """


class RefusedError(Exception):
    """The API server does not want to answer; the sentence says why."""


@dataclass(frozen=True)
class Api:
    """Where the API server is, and where the ServiceAccount's token and its authority are."""

    url: str
    account: Path = ACCOUNT

    @classmethod
    def inside(cls, env: Mapping[str, str]) -> Api | None:
        """The API server of the cluster in which this process runs; None outside."""
        account = Path(env.get("ACCOUNT", ACCOUNT))
        if env.get("API"):
            return cls(env["API"], account)
        host, port = env.get("KUBERNETES_SERVICE_HOST"), env.get("KUBERNETES_SERVICE_PORT", "443")
        if not host:
            return None
        return cls(f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}", account)

    def list(self, path: str) -> list[Json]:
        """Every object of a list."""
        with closing(self._connection()) as connection:
            answer = self._get(connection, path, {}, PATIENCE)
            return list(json.loads(answer.read()).get("items") or ())

    def watch(self, path: str, version: str | None) -> Iterator[tuple[str, Json]]:
        """Every change after `version`; without one first everything there is, and a bookmark.

        The first of all is `OPEN`: the API server answers, though it may have no news for long.
        """
        query = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(WATCH)}
        if version is None:
            query |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        else:
            query["resourceVersion"] = version
        with closing(self._connection()) as connection:
            answer = self._get(connection, path, query, SILENCE)
            yield "OPEN", {}
            while line := answer.readline():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    code, words = event["object"].get("code"), event["object"].get("message")
                    raise ExpiredError("" if code == 410 else f"HTTP {code} {words}")
                yield event["type"], event["object"]

    def _get(
        self,
        connection: http.client.HTTPConnection,
        path: str,
        query: dict[str, str],
        patience: float,
    ) -> http.client.HTTPResponse:
        headers = {"Accept": "application/json", "User-Agent": "kubelab-recorder"}
        # Read each time: the kubelet renews it.
        token = self.account / "token"
        if token.is_file():
            headers["Authorization"] = f"Bearer {token.read_text(encoding='ascii').strip()}"
        connection.request("GET", f"{path}?{urlencode(query)}", headers=headers)
        connection.sock.settimeout(patience)
        answer = connection.getresponse()
        if answer.status == 410:
            raise ExpiredError
        if answer.status != 200:
            words = " ".join(answer.read(400).decode(errors="replace").split())
            raise RefusedError(f"HTTP {answer.status} {words}")
        return answer

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        if parts.scheme == "http":
            return http.client.HTTPConnection(parts.netloc, timeout=CONNECT)
        context = ssl.create_default_context(cafile=str(self.account / "ca.crt"))
        return http.client.HTTPSConnection(parts.netloc, timeout=CONNECT, context=context)
