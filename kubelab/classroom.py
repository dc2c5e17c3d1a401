"""What a class's namespaces hold: one list a kind for all of them, and the rest as it is asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from kubelab.api import SYSTEM, TIMEOUT, Cluster
from kubelab.ask import PROBER
from kubelab.objects import Object, meta, name_of

# Seconds for which a list of all namespaces serves: a class of 200 is judged as of one moment, and
# whoever is at work while many act is not judged by what was there minutes ago.
FRESH = 30.0
# Seconds for which a good answer serves whoever asks the same: two tasks ask the same Service.
SAME = 3.0
# What the course keeps about each namespace, by the beginning of its name and its label.
KEPT = {"proofs-": "kubelab.dev/proofs", "start-": "kubelab.dev/start"}
FIELDS = {"metadata.name": ("metadata", "name"), "involvedObject.uid": ("involvedObject", "uid")}
# What only those ask who are about to act, and have to know as it is now.
LIVE = {"ResourceQuota", "LimitRange"}


class Shared:
    """Stands in for `api.Cluster` where many namespaces are read: lists are shared by all.

    A namespace in which a check has acted is read as it is from then on.
    """

    def __init__(self, cluster: Cluster, clock: Callable[[], float] = time.monotonic) -> None:
        self.cluster = cluster
        self.clock = clock
        self._lists: dict[str, tuple[float, dict[str, list[Object]]]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._touched: set[str | None] = set()
        self._answers: dict[str, tuple[float, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cluster, name)

    def objects(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        limit: int | None = None,
    ) -> list[Object]:
        """All objects of a kind, out of the shared list where that can tell."""
        path, _, value = (fields or "").partition("=")
        shared = kind not in LIVE and namespace not in self._touched
        if not shared or labels or limit or (fields and path not in FIELDS):
            return self.cluster.objects(kind, namespace, labels=labels, fields=fields, limit=limit)
        there = self._shared(kind)
        found = (
            [one for several in there.values() for one in several]
            if namespace is None
            else there.get(namespace, [])
        )
        if fields:
            first, second = FIELDS[path]
            found = [one for one in found if (one.get(first) or {}).get(second) == value]
        return list(found)

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """One object: Namespaces and what the course keeps about them out of shared lists."""
        if kind == "Namespace":
            return next((one for one in self.objects(kind) if name_of(one) == name), None)
        label = next((KEPT[start] for start in KEPT if name.startswith(start)), None)
        if name in self._touched:
            return self.cluster.get(kind, name, namespace)
        if kind == "ConfigMap" and namespace == SYSTEM and label:
            kept = self._shared(f"ConfigMap {label}", lambda: self._kept(label))
            return next((one for one in kept.get(SYSTEM, []) if name_of(one) == name), None)
        if kind == "Lease" and namespace == "kube-system":
            several = self._shared(kind)
            return next((one for one in several.get(namespace, []) if name_of(one) == name), None)
        return self.cluster.get(kind, name, namespace)

    def proxied(
        self, service: str, path: str, body: Object | None = None, *, timeout: float = TIMEOUT
    ) -> Any:
        """Ask a Service of the course; what several ask the prober at once is asked once."""
        if service != PROBER:
            return self.cluster.proxied(service, path, body, timeout=timeout)
        wanted = self.clock()
        key = json.dumps([path, body], sort_keys=True)
        with self._locked(key):
            at, answer = self._answers.get(key, (float("-inf"), None))
            # A bad answer is asked for again by whoever has seen it: it may have been late.
            if at > wanted or (self.clock() - at < SAME and good(answer)):
                return answer
            answer = self.cluster.proxied(service, path, body, timeout=timeout)
            self._answers[key] = self.clock(), answer
            return answer

    def touch(self, namespace: str) -> None:
        """Read a namespace as it is from now on: somebody acts in it, or it is being watched."""
        self._touch("", namespace)
        self._touched.update(start + namespace for start in KEPT)

    # Writing: what a check acts on is read as it is from then on.

    def create(
        self, kind: str, body: Object, namespace: str | None = None, *, dry_run: bool = False
    ) -> Object:
        """Create an object."""
        self._touch(name_of(body), namespace)
        return self.cluster.create(kind, body, namespace, dry_run=dry_run)

    def replace(self, kind: str, body: Object, namespace: str | None = None) -> Object:
        """Replace an object."""
        self._touch(name_of(body), namespace)
        return self.cluster.replace(kind, body, namespace)

    def patch(self, kind: str, name: str, body: Object, namespace: str | None = None) -> None:
        """Merge `body` into an object."""
        self._touch(name, namespace)
        self.cluster.patch(kind, name, body, namespace)

    def delete(self, kind: str, name: str, namespace: str | None = None, grace: int = 0) -> None:
        """Delete an object."""
        self._touch(name, namespace)
        self.cluster.delete(kind, name, namespace, grace)

    def _touch(self, name: str, namespace: str | None) -> None:
        # In its own namespace the course keeps records of all of them, by name.
        self._touched.add(name if namespace == SYSTEM else namespace)
        self._answers.clear()

    def _kept(self, label: str) -> list[Object]:
        return self.cluster.objects("ConfigMap", SYSTEM, labels=f"{label}=true")

    def _locked(self, key: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(key, threading.Lock())

    def _shared(
        self, key: str, read: Callable[[], list[Object]] | None = None
    ) -> dict[str, list[Object]]:
        """A list of all namespaces, by namespace; whoever comes meanwhile waits for it."""
        with self._locked(key):
            at, found = self._lists.get(key, (0.0, {}))
            if key not in self._lists or self.clock() - at > FRESH:
                at, found = self.clock(), {}
                for one in read() if read else self.cluster.objects(key):
                    found.setdefault(meta(one).get("namespace") or "", []).append(one)
                self._lists[key] = at, found
            return found


def good(reply: Any) -> bool:
    """Whether every answer of the prober's is one that a server gave, and a good one."""
    answers = (reply.get("answers") if isinstance(reply, dict) else None) or []
    return bool(answers) and all(one.get("status") == 200 for one in answers)
