"""Does a Deployment bring a Pod back? One of its Pods is deleted to see."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from kubelab import ask, endpoints, replacing
from kubelab.acting import STEP, Holder, Proof, acting
from kubelab.api import Cluster
from kubelab.objects import (
    WEB_PORT,
    Object,
    condition,
    containers,
    dig,
    meta,
    name_of,
    probe_port,
    seconds,
    start_time,
)
from kubelab.proofs import outcome
from kubelab.replacing import leaving, uids
from kubelab.settled import is_unschedulable, lateness, pod_motion, pod_trouble
from kubelab.variables import variable

WANTED = "a deleted Pod is replaced by one that answers"
# Seconds in which a controller makes another Pod, and in which a ready one answers.
REPLACED = 60.0
ANSWERED = 10.0
PATIENCE = 10.0
# Seconds without a new Pod after which a refusal of the controller counts.
REFUSED = 20.0
# Seconds in which a quota counts a Pod no more that has gone.
COUNTED = 5.0
# Seconds in which the scheduler finds the place that a Pod has left.
PLACED = 10.0
PROBES = ("readinessProbe", "startupProbe", "livenessProbe")


@dataclass(frozen=True)
class Found:
    """The Pod that came in place of a deleted one; None, and why, where none came."""

    pod: Object | None = None
    why: str = ""


def comes_back(cluster: Cluster, namespace: str, deployment: str, key: str) -> Proof:
    """Delete one Pod of the Deployment, and see whether another one comes and answers.

    Raises EnvironmentFault where the cluster is too slow to tell.
    """
    with acting(cluster, namespace) as holder:
        before = replacing.pods_of(holder, deployment)
        one = replacing.ready(before, deployment)[0]
        cluster.delete("Pod", name_of(one), namespace, grace=2)
        found = replacement(holder, deployment, before)
        if found.pod is not None and not answers_in_time(holder, found.pod):
            replacing.blame_a_busy_machine(cluster)
            found = Found(why=f"{name_of(found.pod)}, made in its place, gives no page")
    return outcome(key, WANTED, "not-replaced" if found.why else "", found.why)


def replacement(holder: Holder, deployment: str, pods: Sequence[Object]) -> Found:
    """Wait for a ready Pod that is none of these, or for what keeps it from coming."""
    began, left, before = time.monotonic(), 0.0, uids(pods)
    # What those before it took for their init containers, the next one takes, too.
    first = max(map(start_time, pods), default=0.0)
    while True:
        fresh = [one for one in replacing.pods_of(holder, deployment) if not uids([one]) <= before]
        ready = next((one for one in fresh if endpoints.is_ready(one)), None)
        if ready is not None:
            return Found(ready)
        spent = time.monotonic() - began
        if leaving(holder, before):
            left = min(spent, REPLACED)
        # The old Pod may hold the place of the next one; a controller that was refused tries
        # again after as long as it has tried already.
        patient = max(REFUSED, 2 * left + COUNTED)
        if not fresh:
            why = refused(holder, deployment) if spent > patient else ""
        else:
            # So may a node's port, or the node itself where there is one Pod for each.
            why = (
                "" if any(map(is_unschedulable, fresh)) and spent < left + PLACED else stuck(fresh)
            )
        if why:
            return Found(why=why)
        if spent > (limit := REPLACED + left + first + replacing.patience(fresh)):
            raise replacing.unreplaced(holder, deployment, limit)
        holder.renew()
        time.sleep(STEP)


def stuck(fresh: Sequence[Object]) -> str:
    """Why new Pods never get ready; empty while one of them may."""
    if not all(pod_motion(one, time.time()).settled for one in fresh):
        return ""
    trouble = pod_trouble(fresh[0])
    words = trouble.words if trouble else "not ready"
    return f"{name_of(fresh[0])}, made in its place, is {words}"


def refused(holder: Holder, deployment: str) -> str:
    """Why no new Pod can be made; empty where nobody says so."""
    body = holder.cluster.get("Deployment", deployment, holder.namespace) or {}
    failure = condition(body, "ReplicaFailure")
    return "no Pod can be made in its place" if failure.get("status") == "True" else ""


def answers_in_time(holder: Holder, pod: Object) -> bool:
    """Whether a ready Pod answers with the page, soon if not at once."""
    end = time.monotonic() + ANSWERED + slow_start(pod)
    while not page(holder.cluster, pod):
        if time.monotonic() > end:
            return False
        holder.renew()
        time.sleep(STEP)
    return True


def slow_start(pod: Object) -> float:
    """The seconds more in which a Pod without a probe listens: its machine was slow to start it."""
    began = [seconds(dig(one, "state", "running", "startedAt")) for _, one in containers(pod)]
    return max((lateness(pod, one) for one in began if one is not None), default=0.0)


def page(cluster: Cluster, pod: Object) -> bool:
    """Whether a Pod answers with the shop's page."""
    return page_port(cluster, pod) is not None


def page_port(cluster: Cluster, pod: Object, container: str | None = None) -> int | None:
    """The port at which a Pod answers with the shop's page; None where it does at none.

    Where it does at several, one of the container of this name goes first. Raises Busy where no
    answer came in time, and the machine is to blame.
    """
    address, late = dig(pod, "status", "podIP"), False
    if not address:
        return None
    for port in ports(cluster, pod, container):
        answer = asked(cluster, address, port)
        if replacing.good(answer):
            return port
        late = late or answer.reason in replacing.SLOW
    if late:
        replacing.blame_a_busy_machine(cluster)
    return None


def asked(cluster: Cluster, address: str, port: int) -> ask.Answer:
    """What a port answers; on a busy machine it is asked once more."""
    url = ask.address(address, port)
    (answer,) = ask.http(cluster, url)
    if answer.reason in replacing.SLOW:
        (answer,) = ask.http(cluster, url, timeout=PATIENCE)
    return answer


def ports(cluster: Cluster, pod: Object, container: str | None = None) -> list[int]:
    """Where a Pod may serve its page: the ports that it names, PORT, its probes', the image's.

    Those of the container of this name go before those of the others.
    """
    boxes = [box for box, _ in containers(pod)]
    own = [one for one in boxes if one.get("name") == container]
    others = [one for one in boxes if one not in own]
    several = [*opened(cluster, pod, own), WEB_PORT] if own else []
    return list(dict.fromkeys([*several, *opened(cluster, pod, others), WEB_PORT]))


def opened(cluster: Cluster, pod: Object, boxes: Sequence[Object]) -> list[int]:
    """The ports at which containers of a Pod may listen: what they name, PORT, their probes'."""
    named = [int(port["containerPort"]) for one in boxes for port in one.get("ports") or ()]
    found, source = list[int](), partial(cluster.get, namespace=meta(pod).get("namespace"))
    for box in boxes:
        given = variable(pod, box, "PORT", source).strip()
        found += [int(given)] if given.isdigit() else []
        found += [one for key in PROBES if (one := probe_port(box.get(key) or {}, box))]
    return [*named, *found]
