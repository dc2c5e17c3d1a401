"""The facts that decide predictions: of a Pod, a Service or a Deployment, live and from the record.

Their names are those of `schemas/lab.schema.json`. What costs a question is asked only where a rule
names it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kubelab import ask, history, losses, notebook_facts_jobs, notebook_facts_routes
from kubelab.api import Cluster
from kubelab.history import DeploymentRecord, PodRecord
from kubelab.labs import Lab
from kubelab.objects import (
    Object,
    condition,
    containers,
    dig,
    init_containers,
    is_sidecar,
    meta,
    restarts,
)
from kubelab.objects import seconds as epoch
from kubelab.pictures.rollout_model import began, state_of
from kubelab.pictures.topology import selects

Facts = dict[str, Any]
QUESTIONS, AT_ONCE = 20, 5
HEALTH_PORT = 8080
REVISION = "deployment.kubernetes.io/revision"
ANSWERS = frozenset(("answers", "answers_by", "answers_of"))
LOAD = frozenset(("requests", "failed_requests", "first_failure", "versions"))


@dataclass(frozen=True)
class Asked:
    """What a rule asks about: an object, the facts it names, and where the record begins."""

    cluster: Cluster
    lab: Lab
    name: str
    wanted: frozenset[str]
    since: str = "change"
    chosen: float | None = None
    load: str | None = None
    path: str = "/"

    @property
    def namespace(self) -> str:
        """The learner's namespace."""
        return self.lab.namespace

    def started(self) -> float:
        """When the lab was started."""
        body = self.cluster.get("Namespace", self.namespace) or {}
        notes = meta(body).get("annotations") or {}
        return epoch(notes.get("kubelab.dev/started")) or 0.0

    def begin(self, change: float) -> float:
        """Where the record begins to count."""
        if self.since == "choice" and self.chosen is not None:
            return self.chosen
        return change if self.since == "change" else self.started()


# A Pod


def pod(asked: Asked, body: Object | None) -> Facts | None:
    """The facts of a Pod; None where it never was there."""
    record = None
    if asked.wanted & {"gone", "seconds_to_end"}:
        record = _recorded(asked, body)
    if body is None:
        if record is None:
            return None
        facts: Facts = {"gone": True, "ready": False, "restarts": record.restarts}
    else:
        facts = pod_facts(body) | {"gone": False}
        if "health" in asked.wanted:
            facts["health"] = health(asked.cluster, body)
    if "seconds_to_end" in asked.wanted:
        facts["seconds_to_end"] = _to_end(record)
    return {
        key: value for key, value in facts.items() if key in {*asked.wanted, "ready", "restarts"}
    }


def _recorded(asked: Asked, body: Object | None) -> PodRecord | None:
    several = [
        one for one in history.pods(asked.cluster, asked.namespace) if one.name == asked.name
    ]
    uid = None if body is None else meta(body)["uid"]
    return next((one for one in reversed(several) if uid in (None, one.uid)), None)


def _to_end(record: PodRecord | None) -> int | None:
    if record is None or record.gone is None:
        return None
    return round(record.gone - (record.deleting if record.deleting is not None else record.gone))


def pod_facts(body: Object) -> Facts:
    """What a Pod's own status says."""
    regular = [status for _, status in containers(body)]
    regular = regular or list(dig(body, "status", "containerStatuses") or ())
    inits = init_containers(body)
    ended = _newest_end(regular)
    return {
        "phase": dig(body, "status", "phase") or "Unknown",
        "ready": condition(body, "Ready").get("status") == "True",
        "restarts": sum(map(restarts, regular)),
        "running": sum(dig(one, "state", "running") is not None for one in regular),
        "init_done": sum(
            dig(status, "state", "terminated", "exitCode") == 0
            for one, status in inits
            if not is_sidecar(one)
        ),
        "sidecars": sum(
            dig(status, "state", "running") is not None for one, status in inits if is_sidecar(one)
        ),
        "exit_code": ended.get("exitCode"),
        "exit_reason": ended.get("reason"),
    }


def _newest_end(statuses: Sequence[Object]) -> Object:
    several = [
        ended
        for one in statuses
        for ended in (dig(one, "state", "terminated"), dig(one, "lastState", "terminated"))
        if ended
    ]
    return max(several, key=lambda ended: str(ended.get("finishedAt")), default={})


def health(cluster: Cluster, body: Object) -> int | None:
    """The HTTP status of the Pod's `/healthz`, asked from inside; None without an answer."""
    address = dig(body, "status", "podIP")
    if not address:
        return None
    port = dig(body, "spec", "containers", 0, "ports", 0, "containerPort") or HEALTH_PORT
    (answer,) = ask.http(cluster, ask.address(address, port, "/healthz"))
    return answer.status


# A Service


def service(asked: Asked, body: Object | None) -> Facts | None:
    """The facts of a Service; None where it is not there."""
    if body is None:
        return None
    spec = body.get("spec") or {}
    facts: Facts = {
        "type": spec.get("type"),
        "cluster_ip": spec.get("clusterIP"),
        "headless": spec.get("clusterIP") == "None",
    }
    if "selected" in asked.wanted:
        pods = asked.cluster.objects("Pod", asked.namespace)
        facts["selected"] = sum(selects(body, one) for one in pods)
    if asked.wanted & {"ready_addresses", "not_ready_addresses"}:
        facts |= _addresses(asked)
    if "dns_addresses" in asked.wanted:
        name = f"{asked.name}.{asked.namespace}.svc.cluster.local"
        facts["dns_addresses"] = len(ask.dns(asked.cluster, name)[0].addresses)
    if asked.wanted & ANSWERS:
        facts |= _answers(asked, body)
    if "times_made" in asked.wanted:
        since = asked.started()
        record = history.audit(asked.cluster, asked.namespace, since)
        verbs = ("create", "patch", "update")  # Server-side apply creates by a patch: code 201.
        facts["times_made"] = sum(
            one.code == 201 for one in record.who(verbs, "services", asked.name)
        )
    if asked.wanted & LOAD:
        facts |= _requests(asked, asked.name, asked.begin(asked.started()))
    return _only(facts, asked)


def _addresses(asked: Asked) -> Facts:
    label = f"kubernetes.io/service-name={asked.name}"
    found: dict[str, bool] = {}
    for one in asked.cluster.objects("EndpointSlice", asked.namespace, labels=label):
        for endpoint in one.get("endpoints") or ():
            for address in endpoint.get("addresses") or ():
                ready = dig(endpoint, "conditions", "ready") is not False
                found[address] = found.get(address, False) or ready
    number = sum(found.values())
    return {"ready_addresses": number, "not_ready_addresses": len(found) - number}


def _answers(asked: Asked, body: Object) -> Facts:
    """Twenty requests by name; a Pod is told from another by what it says of itself."""
    port = dig(body, "spec", "ports", 0, "port") or 80
    url = ask.address(f"{asked.name}.{asked.namespace}.svc.cluster.local", port)
    answers = ask.http(asked.cluster, url, count=QUESTIONS, concurrency=AT_ONCE, timeout=1.0)
    good = [one for one in answers if one.healthy]
    return {
        "answers": len(good),
        "answers_by": len({one.headers.get("x-web-pod") for one in good}),
        "answers_of": len({one.headers.get("x-web-version") for one in good}),
    }


def _requests(asked: Asked, name: str, begin: float, pods: Sequence[PodRecord] = ()) -> Facts:
    """The load on a Service; lost ones are counted as a check does that knows whose Pods it has."""
    found = history.requests(asked.cluster, asked.namespace, name, begin)
    found = found.between(begin, float("inf"))
    lost = losses.of(found, pods)
    return {
        "requests": found.total,
        "failed_requests": lost.count,
        "first_failure": lost.words,
        "versions": len(found.versions),
    }


# A Deployment


def deployment(asked: Asked, body: Object | None) -> Facts | None:
    """The facts of a Deployment; None where it is not there."""
    if body is None:
        return None
    uid, name = meta(body)["uid"], asked.namespace
    records = history.deployments(asked.cluster, name)
    record = next((one for one in records if one.uid == uid), None)
    facts = _live(body)
    if asked.wanted & {"replica_sets", "pods", "new_pods", "old_pods", "ready"}:
        facts |= _members(asked, body)
    begin = asked.begin(began(record) if record else 0.0)
    if record:
        changes = [
            one for one in record.templates[1:] if one.at >= begin or asked.since == "change"
        ]
        facts["template_changes"] = len(changes)
    load = asked.load or next(iter(asked.lab.load), None)
    extremes, requests = asked.wanted & {"most_pods", "fewest_ready"}, load and asked.wanted & LOAD
    pods = history.pods(asked.cluster, name) if extremes or requests else ()
    if record and extremes:
        # Whoever chose before the first Pod was ready has not seen one go.
        first = _first_ready(record, pods) if asked.since == "choice" else begin
        facts |= _extremes(record, pods, max(begin, first))
    if load and requests:
        own = [one for one in pods if one.belonged_to(uid)]
        facts |= _requests(asked, load, begin, own)
    return _only(facts, asked)


def _live(body: Object) -> Facts:
    status, spec = body.get("status") or {}, body.get("spec") or {}
    words, over = state_of(body)
    progressing = condition(body, "Progressing").get("reason")
    return {
        "image": dig(spec, "template", "spec", "containers", 0, "image"),
        "revision": int((meta(body).get("annotations") or {}).get(REVISION) or 0),
        "desired": spec.get("replicas", 1),
        "available": status.get("availableReplicas", 0),
        "unavailable": status.get("unavailableReplicas", 0),
        "complete": over and "complete" in words,
        "progressing": progressing,
        "paused": bool(spec.get("paused")),
    }


def _members(asked: Asked, body: Object) -> Facts:
    sets = [
        one
        for one in asked.cluster.objects("ReplicaSet", asked.namespace)
        if any(
            owner.get("uid") == meta(body)["uid"] for owner in meta(one).get("ownerReferences", ())
        )
    ]

    def revision(one: Object) -> int:
        return int((meta(one).get("annotations") or {}).get(REVISION) or 0)

    newest = max(sets, key=revision, default=None)
    uids = {meta(one)["uid"]: one is newest for one in sets}
    pods = []
    for one in asked.cluster.objects("Pod", asked.namespace):
        owners = [owner.get("uid") for owner in meta(one).get("ownerReferences", ())]
        own = next((uid for uid in owners if uid in uids), None)
        if own is not None and not meta(one).get("deletionTimestamp"):
            pods.append((uids[own], condition(one, "Ready").get("status") == "True"))
    return {
        "replica_sets": len(sets),
        "pods": len(pods),
        "new_pods": sum(new for new, _ in pods),
        "old_pods": sum(not new for new, _ in pods),
        "ready": sum(ready for _, ready in pods),
    }


def _extremes(record: DeploymentRecord, pods: Sequence[PodRecord], begin: float) -> Facts:
    """The most Pods and the fewest ready ones at one time since `begin`, ending ones left out."""
    own = [pod for pod in pods if pod.belonged_to(record.uid)]

    def end(pod: PodRecord) -> float:
        return min(one for one in (pod.deleting, pod.gone, float("inf")) if one is not None)

    moments = {begin}
    for one in own:
        moments |= {one.created, end(one), *(at for at, _ in one.ready)}
    there, ready = [], []
    for at in sorted(at for at in moments if begin <= at < float("inf")):
        alive = [one for one in own if one.created <= at < end(one)]
        there.append(len(alive))
        ready.append(sum(bool(history.value_at(one.ready, at)) for one in alive))
    return {"most_pods": max(there, default=0), "fewest_ready": min(ready, default=0)}


def _first_ready(record: DeploymentRecord, pods: Sequence[PodRecord]) -> float:
    """When the Deployment had its first ready Pod; 0 where it never had one."""
    own = (pod for pod in pods if pod.belonged_to(record.uid))
    return min((at for pod in own for at, is_so in pod.ready if is_so), default=0.0)


def _only(facts: Facts, asked: Asked) -> Facts:
    """The facts that the rule names: they are what is shown."""
    return {key: value for key, value in facts.items() if key in asked.wanted}


READERS: dict[str, Callable[[Asked, Object | None], Facts | None]] = {
    "Pod": pod,
    "Service": service,
    "Deployment": deployment,
    "Ingress": notebook_facts_routes.ingress,
    "HTTPRoute": notebook_facts_routes.route,
    "Job": notebook_facts_jobs.job,
}
SUBJECTS = {"pod": "Pod", "service": "Service", "deployment": "Deployment"}
SUBJECTS |= {"ingress": "Ingress", "route": "HTTPRoute", "job": "Job"}
