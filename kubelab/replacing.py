"""Who answers behind a name, and does a Service follow its Pods? One Pod is replaced to see."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from kubelab import ask, endpoints
from kubelab.acting import STEP, Holder, Proof, acting
from kubelab.api import Cluster
from kubelab.errors import Busy, EnvironmentFault
from kubelab.objects import Object, containers, meta, name_of, readiness_time, start_time
from kubelab.proofs import outcome
from kubelab.settled import pods_of as owned_by

# At most 60 requests. The chance to miss one of three Pods in the first 40 is below 1 in 10^6.
FIRST, MORE, AGAIN = 3, 37, 20
REQUESTS = FIRST + MORE + AGAIN
AT_ONCE = 10
TIMEOUT = 5.0
# A busy machine loses a request now and then: what is lost once is asked again with patience.
PATIENCE = 15.0
# DNS is never the learner's: what it did not answer is asked again so often.
ROUNDS = 3
# The prober's words for what did not come in time.
SLOW = ("timeout", "no-connection")
# What answers on a machine that is not stalled, in less time than anybody else is given.
CONTROL = "http://recorder.kubelab-system.svc.cluster.local:8080/healthz"
CONTROL_TIMEOUT = 2.0
CONTROL_LATE = 2
# Seconds in which a controller replaces a Pod, and in which the data path follows.
REPLACED = 60.0
FOLLOWED = 8.0
LATE = 30.0
WANTED = "a replaced Pod answers, too"


@dataclass(frozen=True)
class Answers:
    """Which Pods answered, how many of the last `of` requests got no answer, and an error.

    `refused`: nobody listened. `unreached`: nobody took some of the requests.
    """

    pods: tuple[str, ...] = ()
    lost: int = 0
    of: int = REQUESTS
    refused: bool = False
    unreached: bool = False
    error: str = ""


@dataclass(frozen=True)
class Trial:
    """The Service, the Deployment whose Pods it must reach, and the port that is asked."""

    service: str
    deployment: str
    port: int


def asked(cluster: Cluster, host: str, port: int) -> Answers:
    """Ask a name, each time on a new connection."""
    url = f"http://{host}:{port}/"

    def ask_it(count: int, timeout: float) -> list[ask.Answer]:
        return ask.http(cluster, url, timeout=timeout, count=count, concurrency=AT_ONCE)

    found = ask_it(FIRST, TIMEOUT)
    if not any(map(good, found)) and any(one.reason in SLOW for one in found):
        found = ask_it(FIRST, PATIENCE)
    # Three refusals may all be one Pod's of several; only silence is too dear to ask for more.
    if any(map(good, found)) or not any(one.reason in SLOW for one in found):
        found += ask_it(MORE, TIMEOUT)
    last = found
    if any(map(good, found)) and not all(map(good, found)):
        last = ask_it(AGAIN, PATIENCE)
    for _ in range(ROUNDS):
        unnamed = sum(one.reason == "name" for one in last)
        if not unnamed:
            break
        last = [one for one in last if one.reason != "name"] + ask_it(unnamed, PATIENCE)
    bad = [one for one in last if not good(one)]
    if any(one.reason == "name" for one in bad):
        # The Service is there, so its name is as well.
        raise Busy("The cluster's DNS does not answer in time.", look="./lab doctor")
    if any(one.reason in SLOW for one in bad):
        blame_a_busy_machine(cluster)
    pods = {one.pod for one in (*found, *last) if good(one) and one.pod}
    error = next((one.error or f"HTTP {one.status}" for one in bad), "")
    refused = any(one.reason == "refused" for one in bad)
    unreached = any(one.reason in (*SLOW, "refused", "unreachable") for one in bad)
    return Answers(tuple(sorted(pods)), len(bad), len(last), refused, unreached, error)


def blame_a_busy_machine(cluster: Cluster) -> None:
    """Raise Busy where the course's own Pods do not answer in time either."""
    control = ask.http(cluster, CONTROL, timeout=CONTROL_TIMEOUT, count=AGAIN, concurrency=AT_ONCE)
    if sum(one.reason in (*SLOW, "name") for one in control) >= CONTROL_LATE:
        raise Busy(
            "This machine is too busy: the course's own Pods answer late, too. "
            "It costs you nothing.",
            look="./lab doctor",
        )


def refuse(cluster: Cluster, slices: Iterable[Object]) -> bool:
    """Whether a ready address refuses at a port of its EndpointSlice: no way there is to blame.

    A slice without ports holds Pods that have none of the name that the Service asks for.
    """
    slices = list(slices)
    if any(endpoints.addresses([one]) and not one.get("ports") for one in slices):
        return True
    several = [
        f"[{host}]:{port['port']}" if ":" in host else f"{host}:{port['port']}"
        for one in slices
        for host in endpoints.addresses([one])
        for port in one.get("ports") or ()
        if port.get("port") and port.get("protocol", "TCP") == "TCP"
    ]
    return any(ask.tcp(cluster, one)[0].reason == "refused" for one in dict.fromkeys(several))


def good(answer: ask.Answer) -> bool:
    """Whether a Pod of the course's image answered."""
    return answer.status == 200 and bool(answer.pod)


def follows(cluster: Cluster, namespace: str, trial: Trial, key: str) -> Proof:
    """Delete one Pod of the Deployment and see whether the Service reaches its replacement.

    Raises EnvironmentFault where the Pod is not replaced in time.
    """
    with acting(cluster, namespace) as holder:
        before = pods_of(holder, trial.deployment)
        one = ready(before, trial.deployment)[0]
        cluster.delete("Pod", name_of(one), namespace, grace=2)
        wanted = replaced(holder, trial, uids([one]), before)
        answers = reached(holder, trial, wanted)
        found, left = fault(answers, wanted, trial), left_out(holder, trial)
        if found and not left:
            blame_a_busy_machine(cluster)
        if not found and left and len(set(wanted)) < len(wanted):
            # One that tells the same name may answer in its place.
            found = f"{left[0]} answers nothing after one Pod was replaced"
    return outcome(key, WANTED, "not-followed" if found else "", found)


def left_out(holder: Holder, trial: Trial) -> list[str]:
    """The Pods of the Deployment that the Service's selector leaves out: no machine is to blame."""
    service = holder.cluster.get("Service", trial.service, holder.namespace)
    if service is None or not endpoints.selector_of(service):
        return []
    pods = pods_of(holder, trial.deployment)
    return [name_of(one) for one in pods if not endpoints.selects(service, one)]


def pods_of(holder: Holder, deployment: str) -> list[Object]:
    """The Pods of a Deployment that stay, as they are now."""
    cluster, namespace = holder.cluster, holder.namespace
    body = cluster.get("Deployment", deployment, namespace)
    if body is None:
        return []
    sets = cluster.objects("ReplicaSet", namespace)
    return members(body, sets, cluster.objects("Pod", namespace))


def ready(pods: Iterable[Object], deployment: str) -> list[Object]:
    """Those of a Deployment's Pods that are ready; raises EnvironmentFault where none is."""
    found = [one for one in pods if endpoints.is_ready(one)]
    if not found:
        raise EnvironmentFault(f"Deployment {deployment} has no ready Pod any more.")
    return found


def uids(pods: Iterable[Object]) -> set[str]:
    """The uids of Pods."""
    return {str(meta(one).get("uid")) for one in pods}


def leaving(holder: Holder, before: set[str]) -> bool:
    """Whether a Pod that was there before still ends."""
    pods = holder.cluster.objects("Pod", holder.namespace)
    return any(meta(one).get("deletionTimestamp") and uids([one]) <= before for one in pods)


def members(deployment: Object, sets: Iterable[Object], pods: Iterable[Object]) -> list[Object]:
    """The Pods of a Deployment that stay."""
    several = [("ReplicaSet", one) for one in sets] + [("Pod", one) for one in pods]
    return sorted(endpoints.staying(owned_by(deployment, several)), key=name_of)


def patience(pods: Iterable[Object]) -> float:
    """The seconds in which Pods get ready by themselves; what a probe may take is its author's."""
    return max((readiness_time(box) for pod in pods for box, _ in containers(pod)), default=0.0)


def replaced(
    holder: Holder, trial: Trial, gone: set[str], before: Sequence[Object]
) -> tuple[str, ...]:
    """Wait until as many Pods as before are ready without the one deleted; what they call
    themselves."""
    began, left = time.monotonic(), 0.0
    # What those before it took for their init containers, the next one takes, too.
    first = max(map(start_time, before), default=0.0)
    while True:
        pods = pods_of(holder, trial.deployment)
        fresh = [one for one in pods if endpoints.is_ready(one) and not uids([one]) <= gone]
        if len(fresh) >= len(before):
            source = partial(holder.cluster.get, namespace=holder.namespace)
            return tuple(endpoints.called(one, source) for one in fresh)
        spent = time.monotonic() - began
        if leaving(holder, gone):
            # The old Pod may hold the place of the next one.
            left = min(spent, REPLACED)
        if spent > (limit := REPLACED + left + first + patience(pods)):
            raise unreplaced(holder, trial.deployment, limit)
        holder.renew()
        time.sleep(STEP)


def unreplaced(holder: Holder, deployment: str, limit: float) -> Busy:
    """The error for a Pod in whose place none got ready in time."""
    return Busy(
        f"A Pod of Deployment {deployment} was not replaced within {limit:.0f} s. "
        "It costs you nothing.",
        look=f"kubectl -n {holder.namespace} get pods",
    )


def reached(holder: Holder, trial: Trial, wanted: tuple[str, ...]) -> Answers:
    """Ask until exactly the wanted Pods answer, or the time is over; the last answers."""
    host = f"{trial.service}.{holder.namespace}.svc.cluster.local"
    began = time.monotonic()
    while True:
        answers = asked(holder.cluster, host, trial.port)
        spent = time.monotonic() - began
        # Who listens and is selected is reached in the end; only a busy machine takes longer.
        if not fault(answers, wanted, trial) or spent > LATE:
            return answers
        if spent > FOLLOWED and (answers.refused or left_out(holder, trial)):
            return answers
        holder.renew()
        time.sleep(STEP)


def fault(answers: Answers, wanted: tuple[str, ...], trial: Trial) -> str:
    """What is wrong with the answers, in words; empty where nothing is."""
    missing = [one for one in wanted if one not in answers.pods]
    others = [one for one in answers.pods if one not in wanted]
    if missing:
        return f"{missing[0]} answers nothing after one Pod was replaced"
    if others:
        return f"{others[0]} answers after one Pod of {trial.deployment} was replaced"
    if answers.lost:
        return f"{answers.lost} of {answers.of} requests lost after one Pod was replaced"
    return ""
