"""What acting has proved, and what is still to be put back: one ConfigMap a namespace."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kubelab.api import SYSTEM, Away, Cluster, Conflict, Refused
from kubelab.errors import EnvironmentFault
from kubelab.objects import Object, cleaned, dig, fingerprint, meta

# A refusal may come from a slow node, so it is not believed for ever; a proof is.
REFUSAL_SECONDS = 600.0
PROOFS_KEPT = 60
# Seconds for which one read serves: the checks of a run follow each other quickly.
FRESH = 1.0
UNDO = "undo."
# Seconds after which a quota has learned of a deletion.
QUOTA = 30.0
STEP = 0.5


@dataclass(frozen=True)
class Proof:
    """What acting on a copy of one object (uid and spec) has shown; `at` is epoch seconds."""

    key: str
    passed: bool
    reason: str = ""
    wanted: str = ""
    found: str = ""
    at: float = 0.0

    def holds(self, now: float) -> bool:
        """Whether the proof still counts."""
        return self.passed or now - self.at < REFUSAL_SECONDS


@dataclass(frozen=True)
class Undo:
    """How one object that a check disturbs is put back.

    `body` is created where the object is not there; `patch` (a merge patch) is made where it is.
    """

    kind: str
    name: str
    body: Object | None = None
    patch: Object | None = None

    @property
    def key(self) -> str:
        """The key of its record."""
        return f"{UNDO}{self.kind}.{self.name}"


def outcome(key: str, wanted: str, reason: str = "", found: str = "") -> Proof:
    """The proof of what was just tried: passed where there is no reason."""
    return Proof(key, not reason, reason, wanted, found or wanted, time.time())


class Proofs:
    """The proofs of one namespace: a ConfigMap in `kubelab-system`.

    There, and not in a file: every door and every checkout finds them, they go with the
    cluster whose uids they name, and a student with rights in one namespace can't write them.
    """

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.name = f"proofs-{namespace}"
        self._data: dict[str, str] = {}
        self._read: float | None = None

    def find(self, key: str) -> Proof | None:
        """The proof under this key, if it still counts; read anew where it is not known yet."""
        known = self._proof(key)
        if known is None and self._old():
            self._load()
            known = self._proof(key)
        return known if known is not None and known.holds(time.time()) else None

    def keep(self, proof: Proof) -> None:
        """Record a proof; the oldest go when there are many."""
        self._make()
        self._load()
        proofs = [key for key in self._data if not key.startswith(UNDO)]
        by_age = sorted(proofs, key=lambda key: float(json.loads(self._data[key])["at"]))
        change: dict[str, str | None] = dict.fromkeys(by_age[: -PROOFS_KEPT + 1])
        change[proof.key] = json.dumps(asdict(proof))
        self._write(change)

    def promise(self, undo: Undo) -> None:
        """Record how something is put back, before it is disturbed."""
        self._make()
        self._write({undo.key: json.dumps(asdict(undo))})

    def promised(self) -> list[Undo]:
        """What is still to be put back."""
        self._load()
        return [Undo(**json.loads(self._data[key])) for key in self._data if key.startswith(UNDO)]

    def fulfilled(self, undo: Undo) -> None:
        """Forget one record: it was put back."""
        self._write({undo.key: None})

    def forget(self) -> None:
        """Remove all of it (for `reset`, after `acting.mend`)."""
        self.cluster.delete("ConfigMap", self.name, SYSTEM)
        self._data, self._read = {}, None

    def _proof(self, key: str) -> Proof | None:
        try:
            return Proof(**json.loads(self._data[key]))
        except (KeyError, TypeError, ValueError):
            return None

    def _old(self) -> bool:
        return self._read is None or time.monotonic() - self._read > FRESH

    def _load(self) -> None:
        self._data = dig(self.cluster.get("ConfigMap", self.name, SYSTEM), "data") or {}
        self._read = time.monotonic()

    def _make(self) -> None:
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": self.name, "labels": {"kubelab.dev/proofs": "true"}},
        }
        with contextlib.suppress(Conflict):
            self.cluster.create("ConfigMap", body, SYSTEM)

    def _write(self, change: dict[str, str | None]) -> None:
        self.cluster.patch("ConfigMap", self.name, {"data": change}, SYSTEM)
        kept = {key: value for key, value in self._data.items() if key not in change}
        self._data = kept | {key: value for key, value in change.items() if value is not None}


def key(task: str, body: Object, *, spec: bool = True, what: str = "") -> str:
    """The key of a proof: task, uid, and a hash of what the author wrote.

    Without `spec` the uid alone counts. `what` tells several proofs of one task apart.
    """
    written = fingerprint(cleaned(body).get("spec")) if spec else "any"
    return ".".join(part for part in (task, what, meta(body).get("uid", ""), written) if part)


def about(bodies: Sequence[Object], specs: Sequence[Any]) -> Object:
    """What a proof is about that counts for several objects, and for `specs` of what they say."""
    uid = ".".join(str(meta(one).get("uid", ""))[:8] for one in bodies)
    return {"metadata": {"uid": uid}, "spec": list(specs)}


def created_again(cluster: Cluster, kind: str, body: Object, namespace: str) -> Object:
    """Create an object that was deleted just now: a quota learns of that some seconds later.

    Raises Refused where it is refused for something else, or still, and Conflict.
    """
    end = time.monotonic() + QUOTA
    while True:
        try:
            return cluster.create(kind, body, namespace)
        except Refused as error:
            if "exceeded quota" not in str(error) or time.monotonic() > end:
                raise
        time.sleep(STEP)


class NotPutBack(EnvironmentFault):
    """The API server refuses what a check has to put back; its record stays."""


def restore(cluster: Cluster, namespace: str) -> None:
    """Put back everything that is on record, whoever disturbed it.

    Raises NotPutBack where something is refused, after all the rest was put back.
    """
    proofs = Proofs(cluster, namespace)
    refused: tuple[Undo, Refused] | None = None
    for undo in proofs.promised():
        try:
            put_back(cluster, namespace, undo)
        except Away:
            raise
        except Refused as error:
            refused = refused or (undo, error)
        else:
            proofs.fulfilled(undo)
    if refused is not None:
        undo, why = refused
        raise NotPutBack(
            f"{undo.kind} {undo.name}, which a check took away, cannot be made again: {why}",
            look=f"kubectl -n {namespace} describe quota",
        )


def put_back(cluster: Cluster, namespace: str, undo: Undo) -> None:
    """Put one object back; raises Refused where the API server refuses it."""
    there = cluster.get(undo.kind, undo.name, namespace)
    if there is None and undo.body is not None:
        with contextlib.suppress(Conflict):
            created_again(cluster, undo.kind, undo.body, namespace)
    elif there is not None and undo.patch is not None:
        cluster.patch(undo.kind, undo.name, undo.patch, namespace)
