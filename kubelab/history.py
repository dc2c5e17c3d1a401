"""What happened in a lab's namespace since its start, as the course's recorder has it.

The recorder (images/agent) keeps audit entries, Pods, Deployments and a line per request of its
load. Every time is in seconds since the epoch, by the clock of the recorder's node. Each history
is a tuple of `(at, value)`, the newest last: the value counts from `at` on.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from kubelab.api import Cluster
from kubelab.errors import Busy, EnvironmentFault
from kubelab.objects import Object, condition, meta, seconds

RECORDER = "recorder:8080"
TIMEOUT = 30.0
# The recorder learns of a change in a moment; on a busy machine in seconds.
CATCHES_UP = 20.0
YOUNG = 60.0
STEP = 0.5
MOST_ENTRIES = 7000
MOST_LINES = 40_000
SLOW = ("name", "timeout")

T = TypeVar("T")
Over = tuple[tuple[float, T], ...]


@dataclass(frozen=True)
class Entry:
    """One request to the API server that changed something, or was to: who did what, when."""

    id: str
    at: float
    stage: str
    verb: str
    user: str
    impersonated: str | None
    user_agent: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    uid: str | None
    dry_run: bool
    code: int | None

    @property
    def done(self) -> bool:
        """Whether it was accepted and changed something."""
        return self.code is not None and 200 <= self.code < 300 and not self.dry_run


@dataclass(frozen=True)
class Audit:
    """The audit entries of a namespace, oldest first.

    `complete` says from when on none is missing, by whose deeds they are (`people`, `accounts`,
    `nodes`, `components`), what was refused apart (`refused people`): see images/agent/README.md.
    """

    entries: tuple[Entry, ...]
    complete: Mapping[str, float]

    def since(self, *whose: str) -> float:
        """From when on no deed of these is missing."""
        return max((self.complete.get(one, 0.0) for one in whose), default=0.0)

    def who(
        self, verb: str | Iterable[str], resource: str, name: str | None = None, sub: str = ""
    ) -> tuple[Entry, ...]:
        """Every accepted deed of one kind: a verb or several, a resource, a subresource.

        `deployments` with sub `scale` is `kubectl scale`; sub `*` takes any subresource or none.
        """
        verbs = {verb} if isinstance(verb, str) else set(verb)
        return tuple(
            entry
            for entry in self.entries
            if entry.done
            and entry.verb in verbs
            and entry.resource == resource
            and name in (None, entry.name)
            and sub in ("*", entry.subresource)
        )


@dataclass(frozen=True)
class Owner:
    """An object that owns another one."""

    kind: str
    name: str
    uid: str


@dataclass(frozen=True)
class PodRecord:
    """One Pod, also after it has gone.

    `owners` keeps a ReplicaSet that has released the Pod. `deployment` is the Deployment behind
    its ReplicaSets, and `version` the tag of its kubelab/web container. `deleting` is when its
    deletion was first seen, `gone` when it was no longer there. `last` is a Pod with as much as
    tells when its containers worked, as it was seen last; empty from a recorder of before.
    """

    uid: str
    name: str
    created: float
    node: str | None
    ip: str | None
    restarts: int
    version: str | None
    deployment: Owner | None
    deleting: float | None
    gone: float | None
    labels_over_time: Over[Mapping[str, str]]
    owners: Over[Owner | None]
    images_over_time: Over[Mapping[str, str]]
    ready: Over[bool]
    last: Object = field(default_factory=dict)

    @property
    def labels(self) -> Mapping[str, str]:
        """The newest labels."""
        return self.labels_over_time[-1][1] if self.labels_over_time else {}

    @property
    def images(self) -> Mapping[str, str]:
        """The newest image of each container, by the container's name."""
        return self.images_over_time[-1][1] if self.images_over_time else {}

    @property
    def owner(self) -> Owner | None:
        """The controller that owns it now, or did when it was last seen."""
        return self.owners[-1][1] if self.owners else None

    @property
    def is_ready(self) -> bool:
        """Whether it is ready now."""
        return self.gone is None and bool(self.ready) and self.ready[-1][1]

    @property
    def was_ready(self) -> bool:
        """Whether it has ever been ready."""
        return any(value for _, value in self.ready)

    def there_at(self, at: float) -> bool:
        """Whether the Pod existed at a moment."""
        return self.created <= at and (self.gone is None or at < self.gone)

    def ready_at(self, at: float) -> bool:
        """Whether the Pod was ready at a moment."""
        return self.there_at(at) and bool(value_at(self.ready, at))

    def owned_at(self, at: float) -> bool:
        """Whether it had a controller at a moment; the first one counts for the time before."""
        if not self.owners or at < self.owners[0][0]:
            return not self.owners or self.owners[0][1] is not None
        return value_at(self.owners, at) is not None

    def labels_at(self, at: float) -> Mapping[str, str]:
        """Its labels at a moment; the first ones count for the time before."""
        found = value_at(self.labels_over_time, at)
        return found if found is not None else dict(*(one for _, one in self.labels_over_time[:1]))

    def belonged_to(self, uid: str) -> bool:
        """Whether this controller, or this Deployment, has ever owned it."""
        owners = [owner for _, owner in self.owners] + [self.deployment]
        return any(owner is not None and owner.uid == uid for owner in owners)


@dataclass(frozen=True)
class SpecChange:
    """A Deployment's spec from `at` on; `template` is a hash of its Pod template."""

    at: float
    generation: int
    images: Mapping[str, str]
    version: str | None
    replicas: int
    paused: bool
    template: str


@dataclass(frozen=True)
class DeploymentRecord:
    """One Deployment, also after it has gone: each change of its spec, and how its rollouts went.

    `progress` is the reason of its condition Progressing, for example `ProgressDeadlineExceeded`.
    """

    uid: str
    name: str
    created: float
    gone: float | None
    changes: tuple[SpecChange, ...]
    progress: Over[str]

    @property
    def templates(self) -> tuple[SpecChange, ...]:
        """The changes that made a new revision: the Pod template is another than before."""
        pairs = zip((None, *self.changes), self.changes, strict=False)
        return tuple(
            change for before, change in pairs if not before or before.template != change.template
        )


@dataclass(frozen=True)
class Request:
    """A request of the load, or `count` like it from `at` to `until`.

    A request is a line for about 20 minutes. Older ones that ended alike are one line: answers of
    ten seconds, failures that followed each other within a second. `seconds` is then the longest,
    and `pod` is None where several answered. `reason` is one of the prober's,
    `refused`, `reset`, `unreachable`, `name` where DNS said nothing, `no-address` where it said
    that there is none, or `no-connection` where packets were lost;
    `timeout` is a server that was connected to and slow.
    """

    at: float
    until: float
    count: int
    seconds: float
    status: int | None
    version: str | None
    pod: str | None
    reason: str | None
    error: str | None

    @property
    def ok(self) -> bool:
        """Whether a client got what it asked for."""
        return self.status is not None and 200 <= self.status < 400


@dataclass(frozen=True)
class Requests:
    """The requests to one Service, oldest first; `since`: when the load on it began."""

    service: str
    since: float | None
    lines: tuple[Request, ...]

    def between(self, begin: float, end: float) -> Requests:
        """The requests that began in a span of time."""
        lines = tuple(one for one in self.lines if one.until >= begin and one.at <= end)
        return Requests(self.service, self.since, lines)

    @property
    def failures(self) -> tuple[Request, ...]:
        """The lines of requests that failed."""
        return tuple(one for one in self.lines if not one.ok)

    @property
    def total(self) -> int:
        """How many requests there were."""
        return sum(one.count for one in self.lines)

    @property
    def failed(self) -> int:
        """How many requests failed."""
        return sum(one.count for one in self.failures)

    @property
    def taken_by_none(self) -> tuple[Request, ...]:
        """The lines of requests that no Pod took, those left out that a slow machine explains.

        `name`: DNS said nothing. `timeout`: a server was connected and slow; a Pod that goes
        refuses, resets or is not reached.
        """
        return tuple(one for one in self.failures if one.reason not in SLOW)

    @property
    def lost(self) -> int:
        """How many requests no Pod took."""
        return sum(one.count for one in self.taken_by_none)

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that answered, in the order in which they came."""
        return tuple(dict.fromkeys(one.version for one in self.lines if one.ok and one.version))


def value_at(history: Over[T], at: float) -> T | None:
    """The value of a history that counted at a moment; None before its beginning."""
    before = [value for since, value in history if since <= at]
    return before[-1] if before else None


# Asking the recorder. All of these raise EnvironmentFault where it can't be asked.


def audit(cluster: Cluster, namespace: str, since: float | None = None) -> Audit:
    """Who did what in a namespace, after `since`."""
    question = {"namespace": namespace, "since": since or 0, "limit": MOST_ENTRIES}
    answer = asked(cluster, "audit", question)
    with reading():
        entries = tuple(Entry(**pick(one, Entry)) for one in answer["entries"])
        return Audit(entries, dict(answer["complete"]))


def pods(cluster: Cluster, namespace: str) -> tuple[PodRecord, ...]:
    """Every Pod of a namespace that the recorder has seen, the oldest first."""
    answer = asked(cluster, "pods", {"namespace": namespace})
    with reading():
        return tuple(pod_record(one) for one in answer["pods"])


def pods_by_now(cluster: Cluster, namespace: str) -> tuple[PodRecord, ...]:
    """The same, as new as what the API server shows: for what is judged by it.

    Raises Busy where the recorder does not catch up in time.
    """
    end = time.monotonic() + CATCHES_UP
    while True:
        # Read before the record: what is newer in the record is no disagreement.
        there = cluster.objects("Pod", namespace)
        records = pods(cluster, namespace)
        if not behind(records, there):
            return records
        if time.monotonic() >= end:
            raise Busy(
                "The course's recorder is behind what happens in the cluster: check again.",
                look="./lab doctor",
            )
        time.sleep(STEP)


def behind(records: Iterable[PodRecord], there: Iterable[Object]) -> bool:
    """Whether a Pod has gone, goes or is ready, and its record does not say so yet."""
    live = {meta(one).get("uid"): one for one in there}
    several = list(records)
    known = {record.uid for record in several}
    if any(is_ready(one) and is_young(one) for uid, one in live.items() if uid not in known):
        return True
    for record in several:
        body = live.get(record.uid)
        if record.gone is not None:
            continue
        if body is None:
            return True
        if record.deleting is None and meta(body).get("deletionTimestamp"):
            return True
        if not record.was_ready and is_ready(body):
            return True
    return False


def is_young(pod: Object) -> bool:
    """Whether a Pod may be too new for the record; of an older one it has lost the beginning."""
    created = seconds(meta(pod).get("creationTimestamp"))
    return created is not None and time.time() - created < YOUNG


def is_ready(pod: Object) -> bool:
    """Whether a Pod says that it is ready."""
    return bool(condition(pod, "Ready").get("status") == "True")


def deployments(cluster: Cluster, namespace: str) -> tuple[DeploymentRecord, ...]:
    """Every Deployment of a namespace that the recorder has seen, the oldest first."""
    answer = asked(cluster, "deployments", {"namespace": namespace})
    with reading():
        return tuple(deployment_record(one) for one in answer["deployments"])


def requests(
    cluster: Cluster, namespace: str, service: str, since: float | None = None
) -> Requests:
    """The load's requests to a Service, those that began or ended after `since`."""
    question = {"namespace": namespace, "service": service}
    answer = asked(cluster, "requests", {**question, "since": since or 0, "limit": MOST_LINES})
    with reading():
        lines = tuple(Request(*line) for line in answer["lines"])
        return Requests(service, answer["since"], lines)


def forget(cluster: Cluster, namespace: str) -> None:
    """Drop what is recorded of a namespace, but for the audit entries; for `reset`."""
    asked(cluster, "forget", {"namespace": namespace})


def asked(cluster: Cluster, path: str, question: Mapping[str, Any]) -> Mapping[str, Any]:
    """The recorder's answer, a JSON object."""
    with reading():
        answer = cluster.proxied(RECORDER, path, dict(question), timeout=TIMEOUT)
        return dict(answer)


@contextmanager
def reading() -> Iterator[None]:
    """An answer that can't be read is the recorder's fault, and told so."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError):
        raise EnvironmentFault(
            "The course's recorder gave an answer that can't be read.", look="./lab up"
        ) from None


def pod_record(body: Mapping[str, Any]) -> PodRecord:
    """A Pod out of the recorder's JSON."""
    changed = {
        "deployment": owner(body["deployment"]),
        "labels_over_time": over(body["labels"]),
        "owners": tuple((at, owner(one)) for at, one in body["owners"]),
        "images_over_time": over(body["images"]),
        "ready": over(body["ready"]),
        "last": dict(body.get("last") or {}),
    }
    return PodRecord(**pick({**body, **changed}, PodRecord))


def deployment_record(body: Mapping[str, Any]) -> DeploymentRecord:
    """A Deployment out of the recorder's JSON."""
    changes = tuple(SpecChange(**pick(one, SpecChange)) for one in body["changes"])
    changed = {"changes": changes, "progress": over(body["progress"])}
    return DeploymentRecord(**pick({**body, **changed}, DeploymentRecord))


def owner(body: Mapping[str, Any] | None) -> Owner | None:
    """An owner out of the recorder's JSON."""
    return None if body is None else Owner(body["kind"], body["name"], body["uid"])


def over(pairs: Iterable[Any]) -> Over[Any]:
    """A history out of the recorder's JSON."""
    return tuple((float(at), value) for at, value in pairs)


def pick(body: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    """The fields of a dataclass; what a newer recorder adds is left out."""
    return {one.name: body[one.name] for one in fields(kind)}
