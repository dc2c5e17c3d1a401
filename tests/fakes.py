"""A cluster in memory: recorded objects, and writes that conflict as the API server's do."""

from __future__ import annotations

import copy
import itertools
import json
import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from kubelab.api import Conflict
from kubelab.errors import EnvironmentFault
from kubelab.objects import Object, meta, name_of
from kubelab.site import Site

STATES = Path(__file__).parent / "states"
COURSE = Path(__file__).parent / "course"


def state(name: str) -> dict[str, list[Object]]:
    """A recorded state of namespace lab-02: objects by kind."""
    recorded: dict[str, list[Object]] = json.loads((STATES / f"{name}.json").read_text())
    return recorded


class TinySite(Site):
    """The course of one lab, with its work in a folder of the test's own."""

    @property
    def work(self) -> Path:
        return self.folder

    folder: Path


class Clock:
    """Stands in for the module `time`: who sleeps moves it on, and nobody waits."""

    def __init__(self, now: float | None = None) -> None:
        self.now = time.time() if now is None else now

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def pod(name: str = "pod-ready") -> Object:
    """The recorded Pod of a state."""
    return state(name)["Pod"][0]


class FakeStream:
    """A watch whose events a test puts in."""

    def __init__(self, first: list[tuple[str, Object]]) -> None:
        self.events: queue.Queue[Any] = queue.Queue()
        self.response = SimpleNamespace(close=lambda: self.events.put(None))
        for one in first:
            self.events.put(one)

    def __iter__(self) -> Iterator[tuple[str, Object]]:
        while (one := self.events.get(timeout=10)) is not None:
            if isinstance(one, Exception):
                raise one
            yield one

    def close(self) -> None:
        """End the watch."""
        self.events.put(None)


END = {"metadata": {"annotations": {"k8s.io/initial-events-end": "true"}}}


class FakeCluster:
    """Stands in for `api.Cluster`."""

    uid = "00000000-0000-4000-8000-000000000000"
    version = "v1.37.2"

    def __init__(self, site: Site, *, namespace: str = "lab-90") -> None:
        self.site = site
        self.stored: dict[tuple[str, str | None, str], Object] = {}
        self.streams: dict[str, list[FakeStream]] = {}
        self.log: list[str] = []
        self.since = 0.0
        self.calls: list[str] = []
        self.answer: Callable[[Any], list[Object]] | None = None
        self.recorder: Callable[[str, Any], Any] | None = None
        self._versions = itertools.count(1)
        started = {"kubelab.dev/started": "2026-11-24T12:00:00Z"}
        self.put("Namespace", {"metadata": {"name": namespace, "annotations": started}})
        self.put("Node", {"metadata": {"name": "node"}, "status": {"conditions": [READY]}})
        for name in ("kube-scheduler", "kube-controller-manager"):
            lease = {"metadata": {"name": name}, "spec": {"renewTime": "2999-01-01T00:00:00Z"}}
            self.put("Lease", lease, "kube-system")

    def put(self, kind: str, body: Object, namespace: str | None = None) -> Object:
        """Store an object, and tell the watches of its kind."""
        body = copy.deepcopy(body)
        meta(body)["resourceVersion"] = str(next(self._versions))
        meta(body).setdefault("uid", f"uid-{name_of(body)}")
        if namespace:
            meta(body)["namespace"] = namespace
        event = "MODIFIED" if (kind, namespace, name_of(body)) in self.stored else "ADDED"
        self.stored[kind, namespace, name_of(body)] = body
        for stream in self.streams.get(kind, []):
            stream.events.put((event, copy.deepcopy(body)))
        return body

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        self.calls.append(f"get {kind}")
        return copy.deepcopy(self.stored.get((kind, namespace, name)))

    def objects(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        limit: int | None = None,
    ) -> list[Object]:
        self.calls.append(f"list {kind}")
        found = [
            body
            for (one, place, _), body in self.stored.items()
            if one == kind and namespace in (None, place)
        ]
        if labels:
            key = labels.split("=", 1)[0]
            found = [body for body in found if key in (meta(body).get("labels") or {})]
        for selector in (fields or "").split(","):
            path, _, value = selector.partition("=")
            found = [body for body in found if not path or _at(body, path) == value]
        return copy.deepcopy(found)

    def watch(self, kind: str, namespace: str, seconds: float) -> FakeStream:
        first = [("ADDED", body) for body in self.objects(kind, namespace)]
        stream = FakeStream([*first, ("BOOKMARK", END)])
        self.streams.setdefault(kind, []).append(stream)
        return stream

    def create(
        self, kind: str, body: Object, namespace: str | None = None, *, dry_run: bool = False
    ) -> Object:
        if dry_run:
            return copy.deepcopy(body)
        if (kind, namespace, name_of(body)) in self.stored:
            raise Conflict(f"{name_of(body)} exists")
        return self.put(kind, written(body, "kubelab"), namespace)

    def replace(self, kind: str, body: Object, namespace: str | None = None) -> Object:
        there = self.stored[kind, namespace, name_of(body)]
        if meta(there)["resourceVersion"] != meta(body)["resourceVersion"]:
            raise Conflict("changed meanwhile")
        return self.put(kind, body, namespace)

    def patch(self, kind: str, name: str, body: Object, namespace: str | None = None) -> None:
        there = copy.deepcopy(self.stored[kind, namespace, name])
        there = self.put(kind, _merged(there, body), namespace)
        if meta(there).get("deletionTimestamp") and not meta(there).get("finalizers"):
            del self.stored[kind, namespace, name]

    def apply(self, body: Object, namespace: str | None = None) -> Object:
        self.calls.append(f"apply {body['kind']}")
        return self.put(body["kind"], body, namespace)

    def delete(self, kind: str, name: str, namespace: str | None = None, grace: int = 0) -> None:
        self.calls.append(f"delete {kind}")
        there = self.stored.get((kind, namespace, name))
        if there is not None and meta(there).get("finalizers"):
            meta(there)["deletionTimestamp"] = "2026-11-24T12:00:00Z"
            return
        self.stored.pop((kind, namespace, name), None)
        if kind == "Namespace":
            for key in [key for key in self.stored if key[1] == name]:
                del self.stored[key]

    @property
    def discovery(self) -> Any:
        """Some kinds that have a namespace, as the dynamic client lists them."""
        return SimpleNamespace(resources=[resource("Pod"), resource("ConfigMap")])

    def at(self, path: str) -> list[Object]:
        kind, namespace = path.split("/")
        return self.objects(kind, namespace)

    def server_started(self) -> float:
        return self.since

    def logs(self, *_: Any, **__: Any) -> list[str]:
        return self.log

    def proxied_pod(
        self, namespace: str, pod: str, path: str, body: Any = None, *, timeout: float = 0
    ) -> Any:
        self.calls.append(f"proxied {pod} {path}")
        return self.proxied("pod", path, body) if path == "ask" else {"ok": True}

    def proxied(self, service: str, path: str, body: Any = None, *, timeout: float = 0) -> Any:
        if service.startswith("recorder") and self.recorder is not None:
            return self.recorder(path, body)
        if self.answer is None:
            raise EnvironmentFault("The course's prober is not there.", look="./lab doctor")
        return {"answers": self.answer(body)}


def resource(kind: str, group: str = "", **more: Any) -> Any:
    """A kind as the dynamic client describes it; its path is `Kind/namespace`."""
    version = f"{group}/v1" if group else "v1"
    facts = {"namespaced": True, "preferred": True, "verbs": ["list", "create"]} | more
    return SimpleNamespace(
        kind=kind,
        group=group,
        group_version=version,
        path=lambda namespace: f"{kind}/{namespace}",
        **facts,
    )


def written(body: Object, manager: str) -> Object:
    """The object as its first writer's: the API server keeps who wrote which label."""
    labels = {f"f:{key}": {} for key in meta(body).get("labels") or {}}
    entry = {"manager": manager, "fieldsV1": {"f:metadata": {"f:labels": labels}}}
    return {**body, "metadata": {**meta(body), "managedFields": [entry]}}


READY = {"type": "Ready", "status": "True"}


def _at(body: Object, path: str) -> Any:
    for step in path.split("."):
        body = body.get(step) or {}
    return body


def _merged(body: Object, change: Object) -> Object:
    for key, value in change.items():
        if value is None:
            body.pop(key, None)
        elif isinstance(value, dict):
            body[key] = _merged(body.get(key) or {}, value)
        else:
            body[key] = value
    return body
