"""Does a liveness probe do its work? Tried on a copy of the Pod, never on the Pod itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from kubelab import ask, jobs
from kubelab.acting import STEP, Holder, Proof, acting, copy_of, make, soon_ready, until
from kubelab.api import Cluster
from kubelab.errors import EnvironmentFault
from kubelab.objects import (
    Object,
    condition,
    containers,
    dig,
    name_of,
    probe_kind,
    probe_port,
    probe_time,
    ready_after,
    restarts,
    seconds,
    start_time,
    was_restarted,
)
from kubelab.proofs import outcome
from kubelab.replacing import blame_a_busy_machine
from kubelab.settled import lateness, pod_trouble, unready

# What the criterion allows on top of the probe's own time.
ALLOWANCE = 5.0
# What a busy machine may add to it.
LATE = 30.0
# A delay is cut to this, or to what is long enough for a copy twice as slow as its original.
WARM, MARGIN = 120.0, 30.0
GATES = ("readinessProbe", "startupProbe")
# A probe that takes longer to notice, its delay left out, has no teeth.
SLOWEST = 120.0
START = 60.0
# For so long a copy is told to be unhealthy until it answers, and so often where it is well again.
SICK = 10.0
TURNS = 5
# Where the course's image says whether it is healthy.
HEALTH = "/healthz"
# How often a healthy copy is asked before its answer counts as a no.
TRIES = 12
# The seconds in which the Event of a probe that failed is there.
TOLD = 5.0
# Exit codes of what was stopped: SIGKILL, SIGTERM.
STOPPED = (137, 143)
# What the kubelet says of a probe that got no answer in its time.
TIMED_OUT = ("deadline exceeded", "Client.Timeout", "timed out", "timeout")


@dataclass(frozen=True)
class Trial:
    """One trial: the Pod, its container with the probe, and the request that makes it unhealthy."""

    pod: Object
    container: str
    fail_port: int
    fail_path: str

    @property
    def spec(self) -> Object:
        """The container's spec."""
        return next(one for one, _ in containers(self.pod) if one["name"] == self.container)

    @property
    def probe(self) -> Object:
        """The liveness probe; a delay that is much longer than the Pod needed is cut short."""
        found: Object = self.spec["livenessProbe"]
        delay, needed = found.get("initialDelaySeconds", 0), ready_after(self.pod)
        if needed is None or not any(self.spec.get(gate) for gate in GATES):
            # Nobody knows then for how long a server has to be left alone.
            return found
        enough = int(max(WARM, 2 * needed + MARGIN))
        return found | {"initialDelaySeconds": enough} if delay > enough else found

    @property
    def over_http(self) -> bool:
        """Whether the course can ask what the probe asks."""
        return probe_kind(self.probe) == "http"

    @property
    def limit(self) -> float:
        """Seconds from the failure in which the container must be restarted."""
        return probe_time(self.probe) + ALLOWANCE

    @property
    def wanted(self) -> str:
        """The criterion as a phrase."""
        delay = self.probe.get("initialDelaySeconds", 0)
        limit = min(self.limit, delay + SLOWEST + ALLOWANCE)
        return f"an unhealthy copy is restarted within {limit:.0f} s"

    def proof(self, key: str, reason: str = "", found: str = "") -> Proof:
        """The outcome: passed where there is no reason."""
        return outcome(key, self.wanted, reason, found)


def restarts_when_unhealthy(cluster: Cluster, namespace: str, trial: Trial, key: str) -> Proof:
    """Make a copy unhealthy and see whether it is restarted in its own probe's time.

    Raises EnvironmentFault where the copy can't be made or does not start.
    """
    delay = trial.probe.get("initialDelaySeconds", 0)
    if trial.limit - delay > SLOWEST + ALLOWANCE:
        found = f"its probe takes {trial.limit - ALLOWANCE:.0f} s to notice"
        return trial.proof(key, "not-restarted", found)
    survived = times_restarted(trial.pod, trial.container)
    first = START + start_time(trial.pod)
    copy = soon_ready(copy_of(trial.pod, first + START + trial.limit + 60))
    probed = (one for one in copy["spec"]["containers"] if one["name"] == trial.container)
    next(probed)["livenessProbe"] = trial.probe
    name = name_of(copy)
    with acting(cluster, namespace) as holder:
        make(cluster, namespace, copy)
        started, ready = until(holder, name, is_ready_or_restarted, first + trial.limit)
        if started is None or not ready:
            trouble = pod_trouble(started) if started else None
            raise unready(trouble)(
                f"The course's copy of Pod {name_of(trial.pod)} did not get ready "
                f"({trouble.words if trouble else 'it is gone'}).",
                look=f"kubectl -n {namespace} get events",
            )
        if times_restarted(started, trial.container):
            not_by_itself(holder, trial, started)
            not_in_time(holder, trial, started)
            found = asked_again(holder, trial, started) if trial.over_http else ""
            reason = "wrong-liveness-probe" if found else "restarted-healthy"
            return trial.proof(key, reason, found or "a healthy copy is restarted")
        # Without a readiness probe a Pod is ready before its server listens.
        url = ask.address(dig(started, "status", "podIP"), trial.fail_port)
        if not trial.spec.get("readinessProbe"):
            until_answered(holder, url, START)
        found = asked_again(holder, trial, started) if trial.over_http else ""
        if found:
            again = cluster.get("Pod", name, namespace)
            if again and times_restarted(again, trial.container):
                not_by_itself(holder, trial, again)
                not_in_time(holder, trial, again)
            return trial.proof(key, "wrong-liveness-probe", found)
        proof = turn_unhealthy(cluster, holder, trial, started, key)
        original = cluster.get("Pod", name_of(trial.pod), namespace)
        if proof.passed and original and times_restarted(original, trial.container) != survived:
            # The original is the control: it is older than the copy, and healthy.
            not_in_time(holder, trial, original)
            return trial.proof(key, "restarted-healthy", "a healthy container is restarted too")
        return proof


def turn_unhealthy(cluster: Cluster, holder: Holder, trial: Trial, copy: Object, key: str) -> Proof:
    """Switch the copy's health off and wait for the restart."""
    url = ask.address(dig(copy, "status", "podIP"), trial.fail_port, trial.fail_path)
    name, path = name_of(copy), dig(trial.probe, "httpGet", "path") or "/"
    health = ask.address(dig(copy, "status", "podIP"), trial.fail_port, HEALTH)
    says_yes = trial.proof(
        key, "not-restarted", f"an unhealthy copy says yes to its probe on {path}"
    )
    for _ in range(TURNS):
        answer = until_answered(holder, url, SICK)
        if answer.status is None:
            raise holder.too_busy(f"The copy could not be made unhealthy ({answer.error})")
        if not trial.over_http or asked(cluster, trial, copy):
            break
        (well,) = ask.http(cluster, health)
        if well.status is not None and not well.healthy:
            return says_yes
        # Well again: a quick kubelet restarted it before a busy machine asked it. Once more.
    else:
        if not until(holder, name, lambda now: ended(now, trial.container), SICK)[1]:
            return says_yes
    pod, done = until(holder, name, lambda now: ended(now, trial.container), trial.limit)
    # Where the course itself got a no, or the kubelet has one, a late restart is a slow machine.
    if not done and (trial.over_http or noticed(holder, name)):
        grace = dig(trial.probe, "terminationGracePeriodSeconds")
        grace = grace or dig(trial.pod, "spec", "terminationGracePeriodSeconds") or 30
        pod, done = until(holder, name, lambda now: ended(now, trial.container), grace + LATE)
    if pod is None:
        raise EnvironmentFault(f"The course's copy {name} was deleted by somebody else.")
    if times_restarted(pod, trial.container):
        found = uncured(holder, trial, pod)
        return trial.proof(key, "not-restarted" if found else "", found)
    policy = dig(pod, "spec", "restartPolicy")
    found = f"ends for good (restartPolicy {policy})" if done else "is not restarted"
    return trial.proof(key, "not-restarted", f"an unhealthy copy {found}")


def uncured(holder: Holder, trial: Trial, pod: Object) -> str:
    """Why the restart has changed nothing, in words; empty where the copy is healthy again.

    Raises EnvironmentFault where nobody answers.
    """
    url = ask.address(dig(pod, "status", "podIP"), trial.fail_port, HEALTH)
    answer = until_answered(holder, url, START, well=True)
    if answer.healthy:
        return ""
    if answer.status is None:
        raise holder.too_busy(f"The copy {name_of(pod)} was restarted and did not answer in time")
    return f"a restart of {trial.container} does not help: :{trial.fail_port}{HEALTH} says no still"


def until_answered(holder: Holder, url: str, limit: float, *, well: bool = False) -> ask.Answer:
    """Ask until somebody answers (`well`: says yes), at most `limit` seconds; the last answer."""
    end = time.monotonic() + limit
    while True:
        (answer,) = ask.http(holder.cluster, url)
        enough = answer.healthy if well else answer.status is not None
        if enough or time.monotonic() > end:
            return answer
        holder.renew()
        time.sleep(STEP)


def asked_again(holder: Holder, trial: Trial, pod: Object) -> str:
    """The same as `asked`, of a copy that is healthy: one late answer is a busy machine's."""
    found = ""
    for answer in replies(holder, trial, pod):
        found = fault_of(trial, answer)
        if not found:
            break
    return found


def replies(holder: Holder, trial: Trial, pod: Object) -> Iterator[ask.Answer | None]:
    """What a Pod answers to its liveness probe, asked again and again for some seconds."""
    end = time.monotonic() + TRIES * STEP
    for _ in range(TRIES):
        yield reply(holder.cluster, trial, pod)
        if time.monotonic() > end:
            break
        holder.renew()
        time.sleep(STEP)


def not_by_itself(holder: Holder, trial: Trial, pod: Object) -> None:
    """Raise EnvironmentFault where a copy ended with an error before any probe of it failed.

    Its original has been ready: something that a copy has not makes the difference.
    """
    statuses = (one for box, one in containers(pod) if box["name"] == trial.container)
    code = dig(next(statuses, {}), "lastState", "terminated", "exitCode")
    if not code or code in STOPPED:
        return
    end = time.monotonic() + TOLD
    while not noticed(holder, name_of(pod)):
        if time.monotonic() > end:
            raise EnvironmentFault(
                f"The course's copy of Pod {name_of(trial.pod)} ended by itself "
                f"(exit code {code}): nothing is known of its probe.",
                look=f"kubectl -n {holder.namespace} get events",
            )
        time.sleep(STEP)


def not_in_time(holder: Holder, trial: Trial, pod: Object) -> None:
    """Raise EnvironmentFault where a healthy Pod was restarted because the machine is slow.

    The kubelet got no answer in the probe's time, and the course gets one.
    """
    name, limit = name_of(pod), trial.probe.get("timeoutSeconds", 1)
    said = events_of(holder, name)
    if not trial.over_http or not (any(map(timed_out, said)) or begun_late(trial, pod, said)):
        return
    until_answered(holder, ask.address(dig(pod, "status", "podIP"), trial.fail_port), START)
    if any(one and one.healthy and one.seconds <= limit for one in replies(holder, trial, pod)):
        raise holder.too_busy(f"The kubelet got no answer in time from {name}, which is healthy")
    blame_a_busy_machine(holder.cluster)


def begun_late(trial: Trial, pod: Object, said: list[Object]) -> bool:
    """Whether a probe was refused before a server listened that a slow machine began."""
    refused = any(
        one.get("reason") == "Unhealthy" and "connection refused" in str(one.get("message"))
        for one in said
    )
    statuses = (one for box, one in containers(pod) if box["name"] == trial.container)
    began = seconds(dig(next(statuses, {}), "lastState", "terminated", "startedAt"))
    return refused and began is not None and lateness(pod, began) > 0


def timed_out(event: Object) -> bool:
    """Whether an Event tells of a probe that got no answer in its time."""
    message = str(event.get("message"))
    return event.get("reason") == "Unhealthy" and any(word in message for word in TIMED_OUT)


def asked(cluster: Cluster, trial: Trial, pod: Object) -> str:
    """Ask a Pod what its liveness probe asks; empty when healthy, else what came instead."""
    return fault_of(trial, reply(cluster, trial, pod))


def fault_of(trial: Trial, answer: ask.Answer | None) -> str:
    """What is wrong with an answer to a liveness probe; empty when it is healthy."""
    probe = trial.probe["httpGet"]
    if answer is None:
        return f"no container port has the name {probe.get('port')}"
    if answer.healthy:
        return ""
    what = f"HTTP {answer.status}" if answer.status else answer.error or "no answer"
    port, path = probe_port(trial.probe, trial.spec), probe.get("path") or "/"
    return f"a healthy copy fails its probe on :{port}{path}: {what}"


def reply(cluster: Cluster, trial: Trial, pod: Object) -> ask.Answer | None:
    """What a Pod answers to its liveness probe; None where the probe's port has no number."""
    probe = trial.probe["httpGet"]
    port = probe_port(trial.probe, trial.spec)
    if port is None:
        return None
    host = probe.get("host") or dig(pod, "status", "podIP")
    url = ask.address(host, port, probe.get("path") or "/", probe.get("scheme", "http"))
    headers = {one["name"]: one["value"] for one in probe.get("httpHeaders", ())}
    named = next((headers.pop(name) for name in list(headers) if name.lower() == "host"), None)
    (answer,) = ask.http(cluster, url, host=named, headers=headers)
    return answer


def times_restarted(pod: Object, container: str) -> int:
    """How often a container was restarted."""
    return next(
        (restarts(status) for one, status in containers(pod) if one["name"] == container),
        0,
    )


def is_ready_or_restarted(pod: Object) -> bool:
    """Whether a copy has an address and is ready, or was restarted already."""
    if was_restarted(pod):
        return True
    return condition(pod, "Ready").get("status") == "True" and bool(dig(pod, "status", "podIP"))


def ended(pod: Object, container: str) -> bool:
    """Whether the container was restarted, or the Pod has ended for good."""
    return times_restarted(pod, container) > 0 or jobs.has_ended(pod)


def noticed(holder: Holder, pod: str) -> bool:
    """Whether the kubelet has seen a probe of the Pod fail, or has begun to end its container."""
    return any(
        one.get("reason") == "Killing"
        or (one.get("reason") == "Unhealthy" and "Liveness" in str(one.get("message")))
        for one in events_of(holder, pod)
    )


def events_of(holder: Holder, pod: str) -> list[Object]:
    """The Events about a Pod."""
    fields = f"involvedObject.name={pod}"
    return holder.cluster.objects("Event", holder.namespace, fields=fields)
