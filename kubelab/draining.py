"""Does a Pod drain? Tried on copies of a template: told to stop, one must still accept.

A second copy gets so little CPU that its server starts slowly: it must not count as ready before
it accepts, or an update sends requests to a Pod that can't take them.
"""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event

from kubelab import ask
from kubelab.acting import STEP, Holder, Proof, acting, copy_of, make, soon_ready, until
from kubelab.api import Cluster
from kubelab.ending import KILLED, End, how_ended, told_to_stop
from kubelab.endpoints import is_ready
from kubelab.errors import Busy
from kubelab.liveness import is_ready_or_restarted, until_answered
from kubelab.objects import (
    Object,
    condition,
    containers,
    dig,
    grace_of,
    name_of,
    probe_time,
    ready_after,
    was_restarted,
)
from kubelab.proofs import outcome
from kubelab.replacing import blame_a_busy_machine
from kubelab.settled import pod_trouble, unready

# Seconds after the delete for which new connections must be accepted.
ACCEPTS = 2.0
EVERY = 0.25
# For so long more a copy is asked that says nothing.
SILENT = 8.0
# A busy kubelet begins to stop a copy so many seconds after its deletion, at the latest.
BEGINS = 10.0
START = 60.0
# The kubelet tells the end of a container a moment later.
LATE = 30.0
# A drain that lasts longer is not watched to its end.
LONGEST = 45.0
# A server takes 5 and 9 s to start with so little; less is tried where 5 s were too few to look.
SLOW = ("20m", "10m", "10m")
SLOW_START = 45.0
# By so little the times differ that two copies need to be ready, where they wait for nothing.
SAME = 2.0
# Up to so little a busy machine may make of the same: judged where it is many times as long.
UNSURE = 4.0
MANY = 3.0


@dataclass(frozen=True)
class Trial:
    """One trial: the template as a Pod with a name, and the port where it serves.

    It is `gated` where something can keep it from being ready, `hooked` where that is a postStart
    hook, until whose end it has no address either. `container` is the one that has to drain.
    `prepares`: the seconds until a Pod's last container runs, for its init containers say.
    """

    pod: Object
    port: int
    gated: bool
    hooked: bool = False
    container: str = "web"
    prepares: float = 0.0

    @property
    def budget(self) -> float:
        """The seconds that a copy has to live, should nobody be left to remove it."""
        return self.prepares + START + LONGEST + 120

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
        copy = soon_ready(copy_of(trial.pod, trial.budget, held=True))
        make(cluster, namespace, copy)
        over = Event()
        with ThreadPoolExecutor(1) as pool:
            slowly = pool.submit(slow_start, holder, trial, over)
            try:
                running = started(holder, trial, copy)
                reason, found = stopped(holder, trial, running)
                while not wait([slowly], timeout=STEP).done:
                    # Of the two only this one renews the Lease.
                    holder.renew()
            finally:
                # Also after Ctrl-C, which waits for the other one.
                over.set()
            words = too_early(ready_after(running), *slowly.result())
            if words:
                reason = "ready-too-early" if trial.gated else "no-readiness-probe"
                found = words
        return trial.proof(key, reason, found)


def slow_start(holder: Holder, trial: Trial, over: Event) -> tuple[str | None, float | None]:
    """What a copy that starts slowly was first (`ready_or_accepting`), and `ready_after`.

    It is given up when `over` is set. Raises EnvironmentFault where each one was both when it was
    first seen. Only with a hook that is in order: until the hook has ended a Pod has no address.
    """
    after = None
    # The third is for a busy machine, which a hook does not need.
    for cpu in SLOW[:2] if trial.hooked else SLOW:
        copy = copy_of(trial.pod, trial.budget)
        # A hook ends before any probe asks: one that asks at once may be seen too late.
        slow = slowed(soon_ready(copy) if trial.hooked else ready_at_once(copy), cpu)
        make(holder.cluster, holder.namespace, slow)
        order = ready_or_accepting(holder, trial, name_of(slow), over)
        after = ready_after(holder.cluster.get("Pod", name_of(slow), holder.namespace))
        # Room in the quota for the next one.
        holder.cluster.delete("Pod", name_of(slow), holder.namespace)
        if order is not None or over.is_set():
            return order, after
    if trial.hooked:
        return None, after
    raise holder.too_busy(
        "Copies of the Pod were told to be ready too late to see whether they accept by then"
    )


def too_early(usual: float | None, order: str | None, slow: float | None) -> str:
    """In words, that a copy is ready before it accepts; empty where it is not.

    `usual` and `slow` are the seconds until a copy was ready, without and with a slow start. Raises
    Busy where they do not tell.
    """
    if order == "ready":
        return "a copy is ready before it accepts anything"
    if order is None and usual is not None and slow is not None:
        if slow - usual <= SAME:
            # The hook waits for so many seconds, and for nothing that the server does.
            return f"a copy is ready after {slow:.0f} s, however slowly its server starts"
        if slow - usual <= UNSURE and slow < MANY * usual:
            raise Busy(
                "Two copies were ready too late to compare them: check again.", look="./lab doctor"
            )
    return ""


def ready_at_once(copy: Object) -> Object:
    """A copy whose probes ask from its first second on, and every second.

    One that always says yes does so before the server accepts, however long its delay was.
    """
    for container in copy["spec"]["containers"]:
        if startup := container.get("startupProbe"):
            # Its server has as many seconds as before.
            startup["failureThreshold"] = math.ceil(probe_time(startup))
        for gate in ("startupProbe", "readinessProbe"):
            if container.get(gate):
                container[gate] |= {"initialDelaySeconds": 0, "periodSeconds": 1}
    return copy


def slowed(copy: Object, cpu: str) -> Object:
    """A copy whose server starts slowly."""
    for container in copy["spec"]["containers"]:
        resources = container.setdefault("resources", {})
        for key in ("requests", "limits"):
            resources[key] = {**(resources.get(key) or {}), "cpu": cpu}
        resources["requests"]["cpu"] = "10m"
    return copy


def ready_or_accepting(holder: Holder, trial: Trial, name: str, over: Event) -> str | None:
    """What the copy was first: `ready`, or `accepting`.

    None where it was both when it first had an address, or had none in time.
    """
    end, begun = time.monotonic() + trial.prepares + START, False
    waited = False
    while time.monotonic() < end and not over.is_set():
        pod = holder.cluster.get("Pod", name, holder.namespace)
        if pod is None or was_restarted(pod):
            return "accepting"
        if is_preparing(trial, pod):
            # It has an address already, and what is not ready yet is no server.
            time.sleep(STEP)
            continue
        if not begun:
            end, begun = time.monotonic() + SLOW_START, True
        ready, ip = is_ready(pod), dig(pod, "status", "podIP")
        if ip:
            # Asked after it was seen ready: what refuses now was ready too early.
            (answer,) = ask.http(holder.cluster, ask.address(ip, trial.port), timeout=2.0)
            refused = answer.reason == "refused"
            if ready and refused:
                return "ready"
            waited = waited or not ready
            if answer.status is not None:
                return "accepting" if waited else None
        time.sleep(STEP)
    return "accepting" if waited else None


def is_preparing(trial: Trial, pod: Object) -> bool:
    """Whether the init containers of a Pod are at work, or its container has not begun.

    While its hook is at work the API tells of no beginning; of a Pod made just now, of nothing.
    """
    states = (one.get("state") for box, one in containers(pod) if box["name"] == trial.container)
    begun = {"running", "terminated"} & set(next(states, None) or {})
    return not begun or condition(pod, "Initialized").get("status") == "False"


def started(holder: Holder, trial: Trial, copy: Object) -> Object:
    """A copy that runs, is ready and answers."""
    limit = trial.prepares + START
    pod, ready = until(holder, name_of(copy), is_ready_or_restarted, limit)
    if pod is None or not ready:
        trouble = pod_trouble(pod) if pod else None
        raise unready(trouble)(
            f"The course's copy of a Pod of {name_of(trial.pod)} did not get ready "
            f"({trouble.words if trouble else 'it is gone'}).",
            look=f"kubectl -n {holder.namespace} get events",
        )
    until_answered(holder, ask.address(dig(pod, "status", "podIP"), trial.port), START)
    return pod


def stopped(holder: Holder, trial: Trial, copy: Object) -> tuple[str, str]:
    """Delete the copy, ask it meanwhile, and see how it ends: a reason and what was found."""
    name, url = name_of(copy), ask.address(dig(copy, "status", "podIP"), trial.port)
    began, deleted = time.monotonic(), time.time()
    holder.cluster.delete("Pod", name, holder.namespace, grace=trial.grace)
    reason, found = refused(holder, trial, url, name, deleted)
    if reason:
        return reason, found
    limit = min(trial.grace, LONGEST) + LATE
    pod, ended = until(holder, name, lambda one: bool(ends_of(one, trial, deleted)), limit)
    took = time.monotonic() - began
    if pod is None or not ended:
        if trial.grace > LONGEST:
            return "", ""
        raise Busy(
            f"The course's copy {name} did not come to its end.",
            look=f"kubectl -n {holder.namespace} get pods",
        )
    # Times of the API are whole seconds, and what is seen here may come late: both must agree.
    told = told_to_stop(holder, name, deleted) or 0.0
    ends = ends_of(pod, trial, float(int(deleted)) + told)
    late = took >= trial.grace and any(one.after >= trial.grace for one in ends)
    if late or any(one.code == KILLED for one in ends):
        # A preStop hook that is cut off leaves no exit code: SIGTERM comes when the grace is over.
        return cut_off(trial)
    return "", ""


def ends_of(pod: Object, trial: Trial, deleted: float) -> list[End]:
    """How the container that has to drain ended; empty while it runs. Others do not count."""
    return [one for one in how_ended(pod, deleted) if one.container == trial.container]


def refused(holder: Holder, trial: Trial, url: str, name: str, deleted: float) -> tuple[str, str]:
    """Ask a copy until it has accepted for long enough after its deletion, or does no more.

    What counts begins when the kubelet stops it: until then any server accepts.
    """
    began = time.monotonic()
    told: float | None = None
    silent = False
    while True:
        since = time.monotonic() - began
        if told is None and since >= ACCEPTS:
            told = told_to_stop(holder, name, deleted)
        late = BEGINS if told is None else told
        if since >= late + ACCEPTS + (SILENT if silent else 0.0):
            break
        (answer,) = ask.http(holder.cluster, url, timeout=2.0)
        # No answer in time may be a busy machine: asked on, until it answers or refuses.
        silent = answer.status is None and answer.reason == "timeout"
        if answer.status is None and not silent:
            # On a busy machine the question itself takes a while: the grace may end meanwhile.
            over = time.monotonic() - began >= trial.grace
            if since >= trial.grace or (over and cut_short(holder, trial, name, deleted)):
                return cut_off(trial)
            while told is None and time.monotonic() - began < since + BEGINS:
                told = told_to_stop(holder, name, deleted)
                time.sleep(STEP)
            accepted = since - (told or 0.0)
            if accepted >= ACCEPTS:
                return "", ""
            return "no-drain", f"a deleted copy refuses a new request after {accepted:.1f} s"
        holder.renew()
        time.sleep(EVERY)
    if silent:
        blame_a_busy_machine(holder.cluster)
        return "no-drain", f"a deleted copy answers no new request for {since:.0f} s"
    return "", ""


def cut_short(holder: Holder, trial: Trial, name: str, deleted: float) -> bool:
    """Whether the end of the grace ended the container, and not the container itself.

    While a preStop hook is at work it has not been told to stop; else SIGKILL leaves its exit code.
    """
    boxes = trial.pod["spec"]["containers"]
    box: Object = next((one for one in boxes if one["name"] == trial.container), {})
    hook = dig(box, "lifecycle", "preStop") or {}
    sleeps = dig(hook, "sleep", "seconds")
    if sleeps is not None and sleeps >= trial.grace:
        return True
    pod, _ = until(holder, name, lambda one: bool(ends_of(one, trial, deleted)), LATE)
    ends = ends_of(pod or {}, trial, deleted)
    # Times of the API are whole seconds, cut off.
    late = bool(hook) and sleeps is None and any(one.after > trial.grace - 1.0 for one in ends)
    return late or any(one.code == KILLED for one in ends)


def cut_off(trial: Trial) -> tuple[str, str]:
    """The reason of a copy whose grace was too short for how it stops."""
    return "killed", f"a deleted copy is cut off when its grace of {trial.grace} s is over"
