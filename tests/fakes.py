"""A cluster in memory: recorded objects, and writes that conflict as the API server's do."""

from __future__ import annotations

import copy
import itertools
import json
import queue
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
        self.calls: list[str] = []
        self.answer: Callable[[Any], list[Object]] | None = None
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

    def create(self, kind: str, body: Object, namespace: str | None = None) -> Object:
        if (kind, namespace, name_of(body)) in self.stored:
            raise Conflict(f"{name_of(body)} exists")
        return self.put(kind, body, namespace)

    def replace(self, kind: str, body: Object, namespace: str | None = None) -> Object:
        there = self.stored[kind, namespace, name_of(body)]
        if meta(there)["resourceVersion"] != meta(body)["resourceVersion"]:
            raise Conflict("changed meanwhile")
        return self.put(kind, body, namespace)

    def patch(self, kind: str, name: str, body: Object, namespace: str | None = None) -> None:
        there = copy.deepcopy(self.stored[kind, namespace, name])
        self.put(kind, _merged(there, body), namespace)

    def apply(self, body: Object, namespace: str | None = None) -> None:
        self.calls.append(f"apply {body['kind']}")
        self.put(body["kind"], body, namespace)

    def delete(self, kind: str, name: str, namespace: str | None = None, grace: int = 0) -> None:
        self.calls.append(f"delete {kind}")
        self.stored.pop((kind, namespace, name), None)

    def logs(self, *_: Any, **__: Any) -> list[str]:
        return self.log

    def proxied(self, service: str, path: str, body: Any = None, *, timeout: float = 0) -> Any:
        if self.answer is None:
            raise EnvironmentFault("The course's prober is not there.", look="./lab doctor")
        return {"answers": self.answer(body)}


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
