"""One watch that goes on for as long as the process lives, over everything that can end it."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable

from .api import Api, ExpiredError, RefusedError
from .service import Json

PAUSE = 1.0  # seconds before the next try
END = "k8s.io/initial-events-end"


class Follower:
    """Tells every change of the objects under one path of the API.

    `changed(body, gone)` is called for each object, and `listed(uids)` when everything that there
    is was told: what is not among them is gone.
    """

    def __init__(
        self,
        api: Api,
        path: str,
        changed: Callable[[Json, bool], None],
        listed: Callable[[set[str]], None],
    ) -> None:
        self.path = path
        self.synced = threading.Event()
        self.error: str | None = "The cluster was not read yet."
        self.failing_since = time.monotonic()
        self._api, self._changed, self._listed = api, changed, listed
        self._version: str | None = None
        self._stopped = threading.Event()
        self._told = False

    def start(self) -> None:
        """Follow from now on, in a thread."""
        threading.Thread(target=self._follow, daemon=True).start()

    def stop(self) -> None:
        """Begin no further watch."""
        self._stopped.set()

    def _follow(self) -> None:
        while not self._stopped.is_set():
            self._told = False
            try:
                self.once()
            except ExpiredError as error:
                self._version = None
                if str(error):
                    self._fail(f"{self.path}: {error}")
            except (OSError, http.client.HTTPException, RefusedError, ValueError) as error:
                self._fail(f"{self.path}: {error}")
                self._told = False
            # One that ends before it has said anything would be asked for without end.
            if not self._told:
                self._stopped.wait(PAUSE)

    def once(self) -> None:
        """Follow one watch to its end."""
        seen: set[str] | None = set() if self._version is None else None
        for kind, body in self._api.watch(self.path, self._version):
            if kind == "OPEN":
                if seen is None:
                    self.error = None
                continue
            self._told = True
            version = body["metadata"]["resourceVersion"]
            if kind == "BOOKMARK":
                if seen is not None and (body["metadata"].get("annotations") or {}).get(END):
                    self._listed(seen)
                    seen = None
                    self.synced.set()
            else:
                if seen is not None:
                    seen.add(body["metadata"]["uid"])
                self._changed(body, kind == "DELETED")
            # The first events come in no order: until all have come, there is nothing to resume.
            if seen is None:
                self._version, self.error = version, None

    def _fail(self, error: str) -> None:
        if self.error is None:
            self.failing_since = time.monotonic()
        if error != self.error:
            print(error, flush=True)
        self.error = error
