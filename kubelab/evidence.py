"""What a failure shows, gathered without the author's help: words for people."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from kubelab import (
    evidence_jobs,
    evidence_rollouts,
    evidence_routes,
    evidence_services,
    reasons,
)
from kubelab.api import KINDS, Cluster
from kubelab.checking import LabView
from kubelab.controlplane import Stopped
from kubelab.errors import EnvironmentFault
from kubelab.objects import (
    Object,
    condition,
    containers,
    controller,
    dig,
    init_containers,
    meta,
    name_of,
    restarts,
    seconds,
)
from kubelab.progress import human
from kubelab.seen import Row
from kubelab.settled import pod_trouble
from kubelab.verdict import Judgement, Verdict

EVENTS = 3
LINES = 5
# Columns for one line of `wanted` or `found`.
LINE = 69
# A name this far from the wanted one (edits per letter) is a near miss.
NEAR = 0.7
# The kubelet names a Pod by namespace and uid, which tells a reader nothing.
POD_ID = re.compile(r" in pod \S+\([0-9a-f-]{36}\)")
# Nor do the runtime's layers: what a container lacks stands behind the last of them.
LAYERS = re.compile(r"failed to create containerd task: .*container init: ")
NODE_LEASES = ("kube-scheduler", "kube-controller-manager")
LEASE_LOST = 45.0


@dataclass(frozen=True)
class Event:
    """One Event of the cluster; `age` in seconds."""

    age: float
    reason: str
    message: str
    count: int = 1


@dataclass(frozen=True)
class Evidence:
    """Everything that a failure shows besides verdict and criterion."""

    reason: str
    wanted: str = ""
    found: str = ""
    chain: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    log: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    look: str = ""
    message: str = ""


@dataclass
class Subject:
    """The object that the last comparison was about."""

    kind: str
    name: str
    body: Object | None = None
    others: list[Object] = field(default_factory=list)


def gather(lab: LabView, judgement: Judgement) -> Evidence:
    """The evidence for a verdict other than a pass; never raises for what can't be read."""
    if judgement.verdict == Verdict.ENV or not judgement.rows:
        return Evidence(
            judgement.reason or "environment",
            message=judgement.message,
            look=judgement.look or lab.task.look.format(namespace=lab.namespace),
        )
    subject = subject_of(lab, judgement.rows[-1])
    reason, near = judgement.reason or "not-met", list[str]()
    if subject.body is None and subject.kind:
        reason, near = absent(lab, subject)
    # What can't be read any more is left out: the verdict stands without it.
    chain: list[str] = []
    events: list[Event] = []
    log: list[str] = []
    if subject.body is not None:
        with contextlib.suppress(Exception):
            chain = owner_chain(lab, subject.body)
    if subject.body is not None and subject.kind == "Service":
        with contextlib.suppress(Exception):
            near += evidence_services.near_misses(lab, subject.body)
    if subject.body is not None and subject.kind in evidence_routes.KINDS:
        with contextlib.suppress(Exception):
            near += evidence_routes.near_misses(lab, subject.body)
    fact = judgement.rows[-1].fact
    # Events and logs tell why a state is not reached; what was written explains itself.
    if subject.body is not None and not fact.given and not fact.final:
        with contextlib.suppress(Exception):
            told = subject.body
            if subject.kind == "Deployment":
                told = evidence_rollouts.culprit(lab, told)
            events = newest_events(lab.cluster, lab.namespace, told)
            log = last_lines(lab.cluster, lab.namespace, told)
    wanted, found = projection(lab, judgement)
    return Evidence(
        reason=reason,
        wanted=wanted,
        found=found,
        chain=tuple(chain),
        events=tuple(events),
        log=tuple(log),
        near=tuple(near),
        look=(fact.look if subject.body is not None else "") or look_command(lab, subject, reason),
        message=waiting(judgement),
    )


def waiting(judgement: Judgement) -> str:
    """What a state that is not at rest waits for."""
    what = judgement.motion.what
    return f"{what}." if judgement.verdict == Verdict.NOT_YET and what else ""


def projection(lab: LabView, judgement: Judgement) -> tuple[str, str]:
    """`wanted` and `found`: the same facts about one object, side by side.

    All comparisons but the last held, so wanted and found agree there.
    """
    last = judgement.rows[-1]
    subject = last.fact.subject
    kind, _, body = lab.looked.get(subject, ("", subject, None))
    if kind and body is None:
        return f"{subject}   in namespace {lab.namespace}", f"{subject}   not there"
    before = [row for row in judgement.rows[:-1] if row.fact.subject == subject]
    if last.held and judgement.reason == "unsettled":
        kept = fitting(subject, before, last.found)
        return joined(subject, [row.found for row in kept], last.found), "so, and not at rest yet"
    # `assert not value` fails on a comparison that held: the opposite was wanted.
    wanted = last.fact.words(False) if last.held else last.wanted
    kept = fitting(subject, before, max(wanted, last.found, key=len))
    return (
        joined(subject, [agreed(row) for row in kept], wanted),
        joined(subject, [row.found for row in kept], last.found),
    )


def agreed(row: Row) -> str:
    """What was wanted of a comparison that the check went on from.

    `assert not value` goes on where it does not hold: there, what was found was wanted.
    """
    return row.wanted if row.held else row.found


def fitting(subject: str, before: Sequence[Row], last: str) -> list[Row]:
    """The newest of the comparisons that held which fit on one line with the last one."""
    kept: list[Row] = []
    for row in reversed(before):
        words = [max(one.wanted, one.found, key=len) for one in (row, *kept)]
        if len(joined(subject, words, last)) > LINE:
            break
        kept.insert(0, row)
    return kept


def joined(subject: str, before: Sequence[str], last: str) -> str:
    """One line of `wanted` or `found`."""
    return f"{subject}   {', '.join(dict.fromkeys([*before, last]))}"


def subject_of(lab: LabView, row: Row) -> Subject:
    """The object that a comparison was about."""
    kind, name, body = lab.looked.get(row.fact.subject, ("", row.fact.subject, None))
    return Subject(kind, name, body)


def look_command(lab: LabView, subject: Subject, reason: str) -> str:
    """The command to look with."""
    default = lab.task.look.format(namespace=lab.namespace)
    if not subject.kind:
        return default
    trouble = pod_trouble(subject.body) if subject.kind == "Pod" and subject.body else None
    return reasons.look(
        reason,
        default,
        namespace=lab.namespace,
        lab=lab.task.lab,
        kind=subject.kind.lower(),
        plural=KINDS[subject.kind].plural,
        name=subject.name,
        container=trouble.container if trouble else "",
    )


# Near misses


def absent(lab: LabView, subject: Subject) -> tuple[str, list[str]]:
    """Why an object is not there, as far as other objects tell: a reason and near misses."""
    reason, near = "not-found", list[str]()
    have = lab.snapshot.kind(subject.kind)
    for name, body in have.items():
        # What a controller made has a name that nobody chose.
        if controller(body) is None and similar(name, subject.name):
            near.append(f"{lab.namespace} has {subject.kind} `{name}`")
    with contextlib.suppress(Exception):
        others = other_kinds(lab, subject)
        near += [
            f"{lab.namespace} has {kind} `{subject.name}`, not a {subject.kind}" for kind in others
        ]
        reason = "wrong-kind" if others else reason
    with contextlib.suppress(Exception):
        places = elsewhere(lab, subject)
        near += [f"namespace {place} has {subject.kind} `{subject.name}`" for place in places]
        reason = "wrong-namespace" if places else reason
    if subject.kind == "Job":
        with contextlib.suppress(Exception):
            deleted = list(evidence_jobs.gone(lab, subject.name))
            near += deleted
            reason = "not-kept" if deleted else reason
    return reason, near


def other_kinds(lab: LabView, subject: Subject) -> list[str]:
    """Workloads of another kind that carry the name."""
    kinds = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")
    if subject.kind not in kinds:
        # A Service has the name of its Deployment more often than not.
        return []
    fields = f"metadata.name={subject.name}"
    return [
        kind
        for kind in kinds
        if kind != subject.kind and lab.cluster.objects(kind, lab.namespace, fields=fields)
    ]


def elsewhere(lab: LabView, subject: Subject) -> list[str]:
    """Namespaces outside of the course that have the object."""
    fields = f"metadata.name={subject.name}"
    found = lab.cluster.objects(subject.kind, fields=fields)
    places = [meta(body)["namespace"] for body in found if meta(body)["namespace"] != lab.namespace]
    if not places:
        return []
    # Other labs have objects of the same name rightly, and so have other students.
    ours = {
        name_of(body)
        for body in lab.cluster.objects("Namespace")
        if any(key.startswith("kubelab.dev/") for key in meta(body).get("labels") or {})
    }
    return [
        place
        for place in places
        if place not in ours and not place.startswith(("kube-", "kubelab-"))
    ]


def similar(one: str, other: str) -> bool:
    """Whether two names are easily taken for one another."""
    import difflib

    return difflib.SequenceMatcher(None, one.lower(), other.lower()).ratio() >= NEAR


# Owner chain


def owner_chain(lab: LabView, body: Object) -> list[str]:
    """The object and what it is made of, down to the container where it stops."""
    if body.get("kind") == "Service":
        return evidence_services.chain(lab, body)
    if body.get("kind") in evidence_routes.KINDS:
        return evidence_routes.chain(lab, body)
    if body.get("kind") == "Deployment":
        return evidence_rollouts.chain(lab, body)
    if body.get("kind") == "Job":
        return evidence_jobs.chain(lab, body)
    lines = owners(lab, body)
    depth = len(lines)
    lines = [f"{branch(level)}{text}" for level, text in enumerate(lines)]
    if body.get("kind") != "Pod":
        lines.append(f"{branch(depth)}{title(body)}")
        return lines
    lines.append(aligned(f"{branch(depth)}Pod {name_of(body)}", pod_words(body)))
    trouble = pod_trouble(body)
    everything = [*init_containers(body), *containers(body)]
    for container, status in everything:
        if len(everything) <= 3 or (trouble and trouble.container == container["name"]):
            words = container_words(container, status)
            lines.append(aligned(f"{branch(depth + 1)}container {container['name']}", words))
    return lines


def owners(lab: LabView, body: Object) -> list[str]:
    """The owners of an object, the topmost first."""
    found: list[str] = []
    owner = controller(body)
    while owner is not None and len(found) < 4:
        above = lab.snapshot.get(owner["kind"], owner["name"]) if owner["kind"] in KINDS else None
        # What was mended since in a paused Deployment has not come to this Pod.
        held = "paused" if dig(above, "spec", "paused") else ""
        found.insert(0, aligned(f"{owner['kind']} {owner['name']}", held))
        owner = controller(above) if above else None
    return found


def branch(level: int) -> str:
    """The lines before a name in the tree."""
    return "   " * (level - 1) + "└─ " if level else ""


def aligned(left: str, right: str) -> str:
    """Two columns."""
    return f"{left:<26} {right}".rstrip()


def title(body: Object) -> str:
    """Kind and name."""
    return f"{body.get('kind', 'Object')} {name_of(body)}"


def pod_words(pod: Object) -> str:
    """The state of a Pod in a few words."""
    trouble = pod_trouble(pod)
    if trouble is None:
        return f"{dig(pod, 'status', 'phase')}, ready"
    if trouble.reason != "not-ready":
        return trouble.words
    since = seconds(condition(pod, "Ready").get("lastTransitionTime"))
    return trouble.words + (f" for {human(time.time() - since)}" if since else "")


def container_words(container: Object, status: Object) -> str:
    """The state of a container in a few words."""
    times = restarts(status)
    again = f", {times} {'restart' if times == 1 else 'restarts'}" if times else ""
    last = dig(status, "lastState", "terminated") or {}
    code = f", last exit code {last['exitCode']}" if "exitCode" in last else ""
    state = status.get("state") or {}
    if "running" in state:
        ready = "ready" if status.get("ready") else "running, not ready"
        return f"{ready}{again}{code}"
    if "terminated" in state:
        return f"ended with exit code {state['terminated'].get('exitCode')}{again}"
    waiting = state.get("waiting", {})
    return f"{waiting.get('reason', 'not started')}{again}{code}"


# Events and logs


def newest_events(cluster: Cluster, namespace: str, body: Object) -> list[Event]:
    """The newest Events about an object, the newest first; warnings before the rest."""
    fields = f"involvedObject.uid={meta(body).get('uid')}"
    found = cluster.objects("Event", namespace, fields=fields)
    warnings = [one for one in found if one.get("type") == "Warning"] or found
    now = time.time()
    events = sorted((event(one, now) for one in warnings), key=lambda one: one.age)
    return events[:EVENTS]


def event(body: Object, now: float) -> Event:
    """One Event, whichever of the two APIs wrote it."""
    at = dig(body, "series", "lastObservedTime") or body.get("lastTimestamp")
    at = at or body.get("eventTime") or meta(body).get("creationTimestamp")
    count = dig(body, "series", "count") or body.get("count") or 1
    age = max(0.0, now - (seconds(at) or now))
    message = LAYERS.sub("", POD_ID.sub("", str(body.get("message", "")).strip()))
    return Event(age, str(body.get("reason", "")), message, int(count))


def last_lines(cluster: Cluster, namespace: str, pod: Object) -> list[str]:
    """The last log lines of the container at fault, of its last run where that has ended."""
    trouble = pod_trouble(pod)
    if trouble is None or not trouble.container or pod.get("kind") != "Pod":
        return []
    if trouble.reason not in ("crash-loop", "exited", "not-ready"):
        return []
    everything = [*init_containers(pod), *containers(pod)]
    status = next((one for box, one in everything if box["name"] == trouble.container), {})
    waits = "waiting" in (status.get("state") or {})
    previous = waits and bool(dig(status, "lastState", "terminated"))
    name = name_of(pod)
    found = cluster.logs(name, namespace, trouble.container, previous=previous, lines=LINES)
    return [printable(line) for line in found if line.strip()]


def printable(line: str) -> str:
    """A line of a container without what would move a cursor or change a colour."""
    return "".join(sign if sign.isprintable() else "?" for sign in line.expandtabs(4))


# The environment


def broken_environment(cluster: Cluster, now: float) -> EnvironmentFault | None:
    """What is wrong with the cluster itself, at a time in seconds since the epoch, or None."""
    for node in cluster.objects("Node"):
        if condition(node, "Ready").get("status") != "True":
            message = f"Node {name_of(node)} is not ready. It costs you nothing."
            return EnvironmentFault(message, look="./lab doctor")
    for name in NODE_LEASES:
        renewed = seconds(dig(cluster.get("Lease", name, "kube-system"), "spec", "renewTime"))
        if renewed is not None and now - renewed <= LEASE_LOST:
            continue
        # While the API server is away nobody can renew a Lease; then it takes them a moment.
        if now - cluster.server_started() > LEASE_LOST:
            return Stopped([name])
    return None
