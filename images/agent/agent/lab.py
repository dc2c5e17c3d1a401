"""What is kept of one lab's namespace: Pods, Deployments and ReplicaSets, also after they went."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from . import changes
from .changes import moment, note
from .service import Json

PODS = 300
OTHERS = 100  # Deployments, and ReplicaSets
SERVICES = 500
CHANGES = 300  # of a Deployment's spec

Records = dict[str, Json]


@dataclass
class Lab:
    """One namespace with the label of a lab; the records of its objects by uid."""

    uid: str
    since: float
    pods: Records = field(default_factory=dict)
    deployments: Records = field(default_factory=dict)
    replica_sets: Records = field(default_factory=dict)
    # When the load on each Service began.
    loaded: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # What is known of the cluster now, and not kept: it is read again after a restart.
        self.services: dict[str, Json] = {}
        self.wanted: tuple[str, ...] = ()
        self.versions: dict[str, int] = {}
        self.filled = False
        self.dirty = True

    def saved(self) -> Json:
        """All that is kept, as JSON."""
        return asdict(self)

    def pod(self, body: Json, gone: bool, now: float) -> None:
        """Keep what a Pod is now."""
        meta, status = body["metadata"], body.get("status") or {}
        record = self._record(self.pods, meta, {"restarts": 0, "labels": [], "owners": [],
                                                "images": [], "ready": []}, PODS)  # fmt: skip
        first = record["created"] if not record["labels"] else now
        note(record["labels"], first, meta.get("labels") or {})
        note(record["owners"], first, changes.controller(body))
        images = changes.images(body["spec"])
        note(record["images"], first, images)
        condition = _condition(status, "Ready")
        ready = condition.get("status") == "True" and not gone
        at = moment(condition.get("lastTransitionTime"), now) if condition and not gone else now
        note(record["ready"], at if record["ready"] or ready else first, ready)
        record |= {
            "version": changes.version(images),
            "node": body["spec"].get("nodeName"),
            "ip": status.get("podIP") or record.get("ip"),
            "restarts": sum(
                one.get("restartCount", 0) for one in status.get("containerStatuses") or ()
            ),
            "last": changes.stub(body),
        }
        _ends(record, meta, gone, now)

    def deployment(self, body: Json, gone: bool, now: float) -> None:
        """Keep what a Deployment's spec is now, and how its rollout goes."""
        meta, spec = body["metadata"], body["spec"]
        record = self._record(self.deployments, meta, {"changes": [], "progress": []}, OTHERS)
        images = changes.images(spec["template"]["spec"])
        change = {
            "generation": meta.get("generation", 0),
            "images": images,
            "version": changes.version(images),
            "replicas": spec.get("replicas", 1),
            "paused": bool(spec.get("paused")),
            "template": changes.fingerprint(spec["template"]),
        }
        history: list[Json] = record["changes"]
        if not history or history[-1]["generation"] != change["generation"]:
            history.append({"at": now if history else record["created"], **change})
            if len(history) > CHANGES:
                del history[1]
        condition = _condition(body.get("status") or {}, "Progressing")
        if condition and not gone:
            at = moment(condition.get("lastUpdateTime"), now)
            note(record["progress"], at, condition.get("reason", ""))
        _ends(record, meta, gone, now)

    def replica_set(self, body: Json, gone: bool, now: float) -> None:
        """Keep which Deployment a ReplicaSet belongs to."""
        record = self._record(self.replica_sets, body["metadata"], {}, OTHERS)
        record["owner"] = changes.controller(body) or record.get("owner")
        _ends(record, body["metadata"], gone, now)

    def service(self, body: Json, gone: bool, _: float) -> None:
        """Know a Service's port for as long as it is there."""
        name, spec = body["metadata"]["name"], body["spec"]
        port = next((one for one in spec.get("ports") or () if one.get("protocol") == "TCP"), None)
        self.services.pop(name, None)
        if gone or port is None or spec.get("type") == "ExternalName":
            return
        if len(self.services) < SERVICES:
            # Behind a name without an address of its own, Pods are asked at their own port.
            target = port.get("targetPort") if spec.get("clusterIP") == "None" else None
            number = target if isinstance(target, int) else port["port"]
            address = (body["metadata"]["uid"], spec.get("clusterIP"), number)
            self.services[name] = {"port": number, "address": address}

    def take(self, kind: str, body: Json, gone: bool, now: float) -> None:
        """Keep one object's news, unless newer ones are there already."""
        uid = body["metadata"]["uid"]
        version = int(body["metadata"]["resourceVersion"])
        if version < self.versions.get(uid, 0):
            return
        self.versions[uid] = version
        getattr(self, kind)(body, gone, now)
        if kind != "service":
            self.dirty = True
        if gone:
            # Kept a while: an older list must not bring it back to life.
            self._trim_versions()

    def missing(self, kind: str, uids: set[str], now: float) -> None:
        """What is not in a whole list any more is gone."""
        if kind == "service":
            there = self.services.items()
            self.services = {name: one for name, one in there if one["address"][0] in uids}
            return
        for uid, record in self.records(kind).items():
            if record["gone"] is None and uid not in uids:
                record["gone"] = now
                self.dirty = True
                if "ready" in record:
                    note(record["ready"], now, False)

    def records(self, kind: str) -> Records:
        """The records of a kind."""
        return {
            "pod": self.pods, "deployment": self.deployments, "replica_set": self.replica_sets
        }[kind]  # fmt: skip

    def told(self, pod: Json) -> Json:
        """A Pod's record with the Deployment behind its newest ReplicaSet."""
        for _, owner in reversed(pod["owners"]):
            if owner and owner["kind"] == "ReplicaSet":
                above = self.replica_sets.get(owner["uid"], {}).get("owner")
                if above and above["kind"] == "Deployment":
                    return {**pod, "deployment": above}
        return {**pod, "deployment": None}

    def forget(self, now: float) -> None:
        """Begin anew from what there is."""
        for kind in ("pod", "deployment", "replica_set"):
            records = self.records(kind)
            for uid in [uid for uid, record in records.items() if record["gone"] is not None]:
                del records[uid]
            for record in records.values():
                for key in ("labels", "owners", "images", "ready", "changes", "progress"):
                    if record.get(key):
                        del record[key][:-1]
        self.since, self.dirty = now, True
        self.loaded.clear()

    def _record(self, records: Records, meta: Json, empty: Json, most: int) -> Json:
        found = records.get(meta["uid"])
        if found is None:
            if len(records) >= most:
                del records[min(records, key=lambda uid: _age(records[uid]))]
            found = records[meta["uid"]] = {
                "uid": meta["uid"], "name": meta["name"], "deleting": None, "gone": None,
                "created": changes.epoch(meta["creationTimestamp"]), **empty,
            }  # fmt: skip
        return found

    def _trim_versions(self) -> None:
        if len(self.versions) > 4 * (PODS + SERVICES):
            kept = list(self.versions.items())[-2 * (PODS + SERVICES) :]
            self.versions = dict(kept)


def _ends(record: Json, meta: Json, gone: bool, now: float) -> None:
    stated = changes.epoch(meta.get("deletionTimestamp"))
    if stated is not None and record["deleting"] is None:
        asked = stated - (meta.get("deletionGracePeriodSeconds") or 0)
        record["deleting"] = now if now - asked < changes.NEAR else asked
    if gone and record["gone"] is None:
        record["gone"] = now


def _condition(status: Any, kind: str) -> Json:
    found = (one for one in status.get("conditions") or () if one.get("type") == kind)
    return next(found, {})


def _age(record: Json) -> tuple[bool, float]:
    """Who is forgotten first: the one that went first, then the oldest."""
    return record["gone"] is None, record["gone"] or record["created"]
