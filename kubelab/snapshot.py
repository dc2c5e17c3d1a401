"""What a run of checks has read of one namespace: one list a kind, then a watch a kind."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from kubelab.api import Cluster, Expired, Stream
from kubelab.objects import Object, meta, name_of
from kubelab.proofs import Proofs
from kubelab.writers import COPY_LABEL, is_copy

__all__ = ["COPY_LABEL", "Snapshot"]

# Several objects often change together: look once after all of them.
COALESCE = 0.03
# Seconds after which the server ends a watch, and a new one begins.
WATCH = 300.0
# Seconds for which a list serves the next check, too.
FRESH = 1.0
# Seconds for which a watch that broke is begun again, and the pause before each time.
PATIENCE = 10.0
PAUSE = 0.5


@dataclass
class Store:
    """The objects of one kind, by name."""

    kind: str
    objects: dict[str, Object] = field(default_factory=dict)
    read: float = field(default_factory=time.monotonic)
    copies: bool = False

    def put(self, event: str, body: Object) -> bool:
        """Take one event in; whether it changed anything that checks can see."""
        name = name_of(body)
        if is_copy(body):
            self.copies = True
            return False
        if event == "DELETED":
            return self.objects.pop(name, None) is not None
        body.setdefault("kind", self.kind)
        before = self.objects.get(name)
        self.objects[name] = body
        version = meta(body).get("resourceVersion")
        return before is None or meta(before).get("resourceVersion") != version

    @property
    def versions(self) -> dict[str, str | None]:
        """The resourceVersion of each object."""
        # A copy: the thread that follows the kind may add to the original meanwhile.
        return {
            name: meta(body).get("resourceVersion") for name, body in dict(self.objects).items()
        }


class Snapshot:
    """The objects of one namespace, read when first asked for and kept current while waiting."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        # One read of the proofs serves all checks of a run.
        self.proofs = Proofs(cluster, namespace)
        self._stores: dict[str, Store] = {}
        self._changed = threading.Condition()
        self._version = self._looked = 0
        self._streams: dict[str, Stream | None] = {}
        self._closed = threading.Event()
        self._fault: Exception | None = None

    def kind(self, kind: str) -> dict[str, Object]:
        """All objects of a kind by name, without the course's own copies."""
        store = self._stores.get(kind)
        if store is None:
            store = self._stores[kind] = self._listed(kind)
        # A copy: the thread that follows the kind may add to the original meanwhile.
        return dict(store.objects)

    def get(self, kind: str, name: str) -> Object | None:
        """One object, or None."""
        return self.kind(kind).get(name)

    @property
    def copies(self) -> bool:
        """Whether the course's own copies were seen, which checks are not shown."""
        return any(store.copies for store in self._stores.values())

    def overtaken(self) -> bool:
        """Whether anything has changed since it was read: what no watch has told is read again."""
        if self._version != self._looked:
            return True
        changed = False
        for kind, store in list(self._stores.items()):
            if kind in self._streams:
                changed |= self._catches_up(store)
            else:
                fresh = self._stores[kind] = self._listed(kind)
                changed |= fresh.versions != store.versions
        return changed

    def _catches_up(self, store: Store) -> bool:
        """Take in what a list says, for a watch may be late; whether that is news.

        What the watch itself has told meanwhile is newer than the list, and stays.
        """
        before = store.versions
        fresh = self._listed(store.kind)
        if fresh.versions == before:
            return False
        for name in {*before, *fresh.objects}:
            now = store.objects.get(name)
            if (meta(now).get("resourceVersion") if now else None) != before.get(name):
                continue
            if name in fresh.objects:
                store.objects[name] = fresh.objects[name]
            else:
                store.objects.pop(name, None)
        return True

    def refresh(self) -> None:
        """Begin a new look: forget what is not fresh and not being watched.

        The checks of one run follow each other quickly and share what was read.
        """
        # What broke before a new look counts no more: its kinds are watched anew.
        self._looked, self._fault = self._version, None
        old = time.monotonic() - FRESH
        for kind, store in list(self._stores.items()):
            if kind not in self._streams and store.read < old:
                del self._stores[kind]

    def wait(self, seconds: float) -> bool:
        """Wait for a change since the last look, at most so long; whether there was one."""
        for kind in list(self._stores):
            if kind not in self._streams and not self._closed.is_set():
                self._streams[kind] = None
                thread = threading.Thread(target=self._follow, args=(kind,), daemon=True)
                thread.start()
        with self._changed:
            changed = self._changed.wait_for(
                lambda: self._version != self._looked or self._fault is not None, max(0.0, seconds)
            )
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault
        if changed:
            time.sleep(COALESCE)
        return changed

    def wake(self) -> None:
        """End a `wait` of another thread, as a change would."""
        self._tell()

    def close(self) -> None:
        """End all watches, for good."""
        # Said first: a watch that is only being opened is put down, and asks after that.
        self._closed.set()
        for stream in list(self._streams.values()):
            if stream is not None:
                stream.close()

    def _listed(self, kind: str) -> Store:
        """The objects of a kind as they are now."""
        store = Store(kind)
        for body in self.cluster.objects(kind, self.namespace):
            store.put("ADDED", body)
        return store

    def _follow(self, kind: str) -> None:
        """Keep one kind current; lists again whenever the watch ends or falls behind.

        One that breaks is begun again for a while: a busy API server breaks one now and then.
        """
        broken: float | None = None
        while not self._closed.is_set():
            told = False
            try:
                stream = self.cluster.watch(kind, self.namespace, seconds=WATCH)
                self._streams[kind] = stream
                with contextlib.closing(stream.response):
                    if self._closed.is_set():
                        return
                    for changed in self._take(kind, stream):
                        told, broken = True, None
                        if changed:
                            self._tell()
            except Expired:
                pass
            except Exception as error:
                if self._closed.is_set():
                    return
                broken = broken or time.monotonic()
                if time.monotonic() - broken >= PATIENCE:
                    self._fault = error
                    # Who waits again has it watched anew.
                    self._streams.pop(kind, None)
                    self._tell()
                    return
                told = False
            if not told:
                self._closed.wait(PAUSE)

    def _take(self, kind: str, stream: Stream) -> Iterator[bool]:
        """Take a streaming list in: everything that is there at once, then each change."""
        store = self._stores[kind]
        # One by one, what is new would stand beside what is no longer there.
        first: Store | None = Store(kind)
        for event, body in stream:
            if self._closed.is_set():
                return
            if event != "BOOKMARK":
                if first is not None:
                    first.put(event, body)
                else:
                    yield store.put(event, body)
            elif first is not None and "k8s.io/initial-events-end" in (
                meta(body).get("annotations") or {}
            ):
                changed = first.versions != store.versions
                store.objects, store.copies = first.objects, first.copies or store.copies
                first = None
                yield changed

    def _tell(self) -> None:
        with self._changed:
            self._version += 1
            self._changed.notify_all()
