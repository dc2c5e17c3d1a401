"""The labs' namespaces: what is followed in them, kept on disk, and told."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .api import Api
from .following import Follower
from .lab import Lab
from .lines import Lines
from .service import Json

LABEL = "kubelab.dev/lab"
LOAD = "kubelab.dev/load"
PATHS = {
    "pod": ("/api/v1", "pods"),
    "service": ("/api/v1", "services"),
    "deployment": ("/apis/apps/v1", "deployments"),
    "replica_set": ("/apis/apps/v1", "replicasets"),
}
LOGS = 10  # Services of one namespace whose requests are kept


class Labs:
    """The records of all labs; every method may be called from any thread."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "labs"
        self._lock = threading.RLock()
        self._labs: dict[str, Lab] = {}
        self._lines: dict[tuple[str, str], Lines] = {}
        self._api: Api | None = None
        self.followers: list[Follower] = []
        self._load()

    # Following

    def follow(self, api: Api) -> None:
        """Follow from now on; the namespaces are known before what is in them."""
        self._api = api
        namespaces = Follower(api, "/api/v1/namespaces", self._namespace, self._namespaces)
        self.followers = [namespaces]
        for kind, (prefix, plural) in PATHS.items():
            follower = Follower(api, f"{prefix}/{plural}", self._taking(kind), self._listing(kind))
            self.followers.append(follower)
        namespaces.start()

        def rest() -> None:
            namespaces.synced.wait()
            for follower in self.followers[1:]:
                follower.start()

        threading.Thread(target=rest, daemon=True).start()

    def _namespace(self, body: Json, gone: bool) -> None:
        meta = body["metadata"]
        name, annotations = meta["name"], meta.get("annotations") or {}
        with self._lock:
            lab = self._labs.get(name)
            if lab is not None and (gone or lab.uid != meta["uid"]):
                self._drop(name)
                lab = None
            if gone or (lab is None and LABEL not in (meta.get("labels") or {})):
                return
            if lab is None:
                lab = self._labs[name] = Lab(meta["uid"], time.time())
            wanted = (one.strip() for one in annotations.get(LOAD, "").split(","))
            lab.wanted = tuple(dict.fromkeys(one for one in wanted if one))[:LOGS]
        # Its objects may have been told of before it was known to be a lab.
        if not lab.filled and self.followers and self.followers[0].synced.is_set():
            self._fill(name, lab)
        lab.filled = True

    def _fill(self, name: str, lab: Lab) -> None:
        assert self._api is not None
        for kind, (prefix, plural) in PATHS.items():
            for body in self._api.list(f"{prefix}/namespaces/{name}/{plural}"):
                with self._lock:
                    lab.take(kind, body, False, time.time())

    def _namespaces(self, uids: set[str]) -> None:
        with self._lock:
            for name in [name for name, lab in self._labs.items() if lab.uid not in uids]:
                self._drop(name)

    def _taking(self, kind: str) -> Callable[[Json, bool], None]:
        def take(body: Json, gone: bool) -> None:
            with self._lock:
                lab = self._labs.get(body["metadata"]["namespace"])
                if lab is not None:
                    lab.take(kind, body, gone, time.time())

        return take

    def _listing(self, kind: str) -> Callable[[set[str]], None]:
        def listed(uids: set[str]) -> None:
            with self._lock:
                for lab in self._labs.values():
                    lab.missing(kind, uids, time.time())

        return listed

    # Telling

    @property
    def error(self) -> str | None:
        """Why the cluster is not followed now; None where it is."""
        return next((one.error for one in self.followers if one.error), None)

    @property
    def complete(self) -> bool:
        """Whether everything was read once."""
        return all(one.synced.is_set() for one in self.followers)

    def pods(self, namespace: str) -> Json:
        """The answer to /pods."""
        with self._lock:
            lab = self._labs.get(namespace)
            told = [] if lab is None else [lab.told(one) for one in lab.pods.values()]
            return _copy(lab, "pods", told)

    def deployments(self, namespace: str) -> Json:
        """The answer to /deployments."""
        with self._lock:
            lab = self._labs.get(namespace)
            return _copy(lab, "deployments", [] if lab is None else list(lab.deployments.values()))

    def requests(self, namespace: str, service: str, since: float, limit: int) -> bytes:
        """The answer to /requests, as JSON."""
        with self._lock:
            lab, lines = self._labs.get(namespace), self._lines.get((namespace, service))
            began = lab.loaded.get(service) if lab else None
            found = lines.since(since, limit) if lines else []
        return b'{"since":%s,"lines":[%s]}' % (json.dumps(began).encode(), b",".join(found))

    def counts(self) -> Json:
        """How many namespaces and Pods there are."""
        with self._lock:
            pods = sum(len(lab.pods) for lab in self._labs.values())
            return {"namespaces": len(self._labs), "pods": pods}

    def forget(self, namespace: str) -> bool:
        """Begin a namespace's records anew; whether it is there."""
        with self._lock:
            lab = self._labs.get(namespace)
            if lab is None:
                return False
            lab.forget(time.time())
            for key in [key for key in self._lines if key[0] == namespace]:
                self._lines.pop(key).remove()
            self._save(namespace, lab)
            return True

    # The load

    def targets(self) -> list[tuple[str, str, Json]]:
        """Every Service that is asked for and is there: namespace, name, port and address."""
        with self._lock:
            return [
                (namespace, name, lab.services[name])
                for namespace, lab in self._labs.items()
                for name in lab.wanted
                if name in lab.services
            ]

    def add(self, namespace: str, service: str, line: list[object]) -> None:
        """Keep one request."""
        with self._lock:
            lab = self._labs.get(namespace)
            if lab is None:
                return
            lines = self._lines.get((namespace, service))
            if lines is None:
                several = [key for key in self._lines if key[0] == namespace]
                if len(several) >= LOGS:
                    self._lines.pop(several[0]).remove()
                file = self._folder / namespace / f"requests-{service}.jsonl"
                lines = self._lines[namespace, service] = Lines(file)
            if service not in lab.loaded:
                lab.loaded[service], lab.dirty = time.time(), True
            lines.add(line)

    # On disk

    def flush(self) -> None:
        """Keep on disk what is new. Raises OSError."""
        with self._lock:
            labs, several = list(self._labs.items()), list(self._lines.values())
        for lines in several:
            with self._lock:
                lines.thin(time.time())
                lines.flush()
        for namespace, lab in labs:
            with self._lock:
                if lab.dirty and self._labs.get(namespace) is lab:
                    self._save(namespace, lab)

    def _save(self, namespace: str, lab: Lab) -> None:
        file = self._folder / namespace / "objects.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(lab.saved(), separators=(",", ":")))
        partial.replace(file)
        lab.dirty = False

    def _drop(self, namespace: str) -> None:
        del self._labs[namespace]
        for key in [key for key in self._lines if key[0] == namespace]:
            del self._lines[key]
        shutil.rmtree(self._folder / namespace, ignore_errors=True)

    def _load(self) -> None:
        for file in sorted(self._folder.glob("*/objects.json")):
            namespace = file.parent.name
            # A record that can't be read begins anew.
            with suppress(OSError, ValueError, TypeError):
                self._labs[namespace] = Lab(**json.loads(file.read_text()))
            if namespace not in self._labs:
                shutil.rmtree(file.parent, ignore_errors=True)
                continue
            self._labs[namespace].dirty = False
            for log in sorted(file.parent.glob("requests-*.jsonl")):
                name = log.stem.removeprefix("requests-")
                self._lines[namespace, name] = Lines(log)


def _copy(lab: Lab | None, name: str, records: list[Json]) -> Json:
    """An answer that nobody changes while it is sent."""
    records.sort(key=lambda one: one["created"])
    text = json.dumps({"since": lab.since if lab else None, name: records})
    answer: Json = json.loads(text)
    return answer
