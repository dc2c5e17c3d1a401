"""Does a Pod drain? Tried on copies of a template: told to stop, one must still accept.

A second copy gets so little CPU that its server starts slowly: it must not count as ready before
it accepts, or an update sends requests to a Pod that can't take them.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from kubelab import ask
from kubelab.acting import STEP, Holder, Proof, acting, copy_of, make, until
from kubelab.api import Cluster
from kubelab.ending import KILLED, all_ended, how_ended
from kubelab.endpoints import is_ready
from kubelab.errors import EnvironmentFault
from kubelab.liveness import is_ready_or_restarted, until_answered
from kubelab.objects import Object, containers, dig, grace_of, name_of
from kubelab.proofs import outcome
from kubelab.settled import pod_trouble

# Seconds after the delete for which new connections must be accepted.
ACCEPTS = 2.0
EVERY = 0.25
START = 30.0
# The kubelet tells the end of a container a moment later.
LATE = 10.0
# A drain that lasts longer is not watched to its end.
LONGEST = 45.0
# A server takes some seconds to start with so little; a container needs more to be made.
SLOW = "60m"
SLOW_START = 20.0


@dataclass(frozen=True)
class Trial:
    """One trial: the template as a Pod with a name, and the port where it serves."""

    pod: Object
    port: int
    gated: bool

    @property
    def grace(self) -> int:
        """The seconds from the delete to SIGKILL."""
        return grace_of(self.pod)

    @property
    def wanted(self) -> str:
        """The criterion as a phrase."""
        return f"a deleted copy accepts for {ACCEPTS:.0f} s more, then ends by itself"

    def proof(self, key: str, reason: str = "", found: str = "") -> Proof:
        """The outcome: passed where there is no reason."""
        return outcome(key, self.wanted, reason, found)


def drains(cluster: Cluster, namespace: str, trial: Trial, key: str) -> Proof:
    """Start two copies, see when the slow one is ready, and delete the other one.

    Raises EnvironmentFault where a copy can't be made, does not start or does not end.
    """
    with acting(cluster, namespace) as holder:
        copy = copy_of(trial.pod, START + LONGEST + 120, held=True)
        slow = slowed(copy_of(trial.pod, START + LONGEST + 120))
        make(cluster, namespace, copy, slow)
        with ThreadPoolExecutor(1) as pool:
            early = pool.submit(ready_too_early, holder, trial, name_of(slow))
            reason, found = stopped(holder, trial, started(holder, trial, copy))
            if early.result():
                reason = "ready-too-early" if trial.gated else "no-readiness-probe"
                found = "a copy is ready before it accepts anything"
        return trial.proof(key, reason, found)


def slowed(copy: Object) -> Object:
    """A copy whose server starts slowly."""
    for container in copy["spec"]["containers"]:
        resources = container.setdefault("resources", {})
        for key in ("requests", "limits"):
            resources[key] = {**(resources.get(key) or {}), "cpu": SLOW}
        resources["requests"]["cpu"] = "10m"
    return copy


def ready_too_early(holder: Holder, trial: Trial, name: str) -> bool:
    """Whether the slow copy was seen to be ready, and after that to refuse a connection."""
    end = time.monotonic() + SLOW_START
    while time.monotonic() < end:
        pod = holder.cluster.get("Pod", name, holder.namespace)
        if pod is None:
            return False
        ready, ip = is_ready(pod), dig(pod, "status", "podIP")
        if ip:
            (answer,) = ask.http(holder.cluster, ask.address(ip, trial.port), timeout=2.0)
            if answer.reason != "refused" or restarted(pod):
                return False
            if ready:
                return True
        time.sleep(STEP)
    return False


def restarted(pod: Object) -> bool:
    """Whether a container of the Pod was started again."""
    return any(status.get("restartCount") for _, status in containers(pod))


def started(holder: Holder, trial: Trial, copy: Object) -> Object:
    """A copy that runs, is ready and answers."""
    pod, ready = until(holder, name_of(copy), is_ready_or_restarted, START)
    if pod is None or not ready:
        trouble = pod_trouble(pod) if pod else None
        raise EnvironmentFault(
            f"The course's copy of a Pod of {name_of(trial.pod)} did not get ready "
            f"({trouble.words if trouble else 'it is gone'}).",
            look=f"kubectl -n {holder.namespace} get events",
        )
    until_answered(holder, ask.address(dig(pod, "status", "podIP"), trial.port), START)
    return pod


def stopped(holder: Holder, trial: Trial, copy: Object) -> tuple[str, str]:
    """Delete the copy, ask it meanwhile, and see how it ends: a reason and what was found."""
    name, url = name_of(copy), ask.address(dig(copy, "status", "podIP"), trial.port)
    began = time.monotonic()
    deleted = time.time()
    holder.cluster.delete("Pod", name, holder.namespace, grace=trial.grace)
    while (since := time.monotonic() - began) < ACCEPTS + EVERY:
        (answer,) = ask.http(holder.cluster, url, timeout=1.0)
        if answer.status is None:
            return "no-drain", f"a deleted copy refuses a new request after {since:.1f} s"
        time.sleep(EVERY)
    limit = min(trial.grace, LONGEST) + LATE
    pod, ended = until(holder, name, all_ended, limit)
    took = time.monotonic() - began
    if pod is None or not ended:
        if trial.grace > LONGEST:
            return "", ""
        raise EnvironmentFault(
            f"The course's copy {name} did not come to its end.",
            look=f"kubectl -n {holder.namespace} get pods",
        )
    # Times of the API are whole seconds, and what is seen here may come late: both must agree.
    ends = how_ended(pod, float(int(deleted)))
    late = took >= trial.grace and any(one.after >= trial.grace for one in ends)
    if late or any(one.code == KILLED for one in ends):
        # A preStop hook that is cut off leaves no exit code: SIGTERM comes when the grace is over.
        return "killed", f"a deleted copy is cut off when its grace of {trial.grace} s is over"
    return "", ""
