"""Does a Pod end in order? Tried on a copy that is deleted while a request is under way."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from kubelab import ask
from kubelab.acting import STEP, Holder, Proof, acting, copy_of, make, soon_ready, until
from kubelab.api import Cluster
from kubelab.errors import Busy
from kubelab.liveness import events_of, is_ready_or_restarted, until_answered
from kubelab.objects import (
    Object,
    containers,
    dig,
    grace_of,
    init_containers,
    is_sidecar,
    name_of,
    seconds,
    start_time,
)
from kubelab.proofs import outcome
from kubelab.settled import pod_trouble, unready

START = 60.0
# The request is begun so long before the delete.
LEAD = 0.4
# The kubelet tells the end of a container a moment later.
LATE = 30.0
# The delete must be taken so soon after its second began, or the copy proves nothing.
PROMPT = 2.0
# The Event that tells when it was stopped may come so much later.
HEARD = 10.0
# A connection that was refused never was: its first packet came after the listener had gone.
UNBEGUN = ("refused", "unreachable")
# What an answer may be late (the prober waits for 30 s at most).
PATIENCE = 20.0
TRIES = 3
# Ended by SIGKILL: 128 + 9.
KILLED = 137


@dataclass(frozen=True)
class Trial:
    """One trial: the Pod, where it serves, and the seconds that the request takes."""

    pod: Object
    port: int
    path: str
    takes: float

    @property
    def grace(self) -> int:
        """The seconds from the delete to SIGKILL."""
        return grace_of(self.pod)

    @property
    def wanted(self) -> str:
        """The criterion as a phrase."""
        return f"a deleted copy answers its {self.takes:.0f} s request, then ends by itself"

    def proof(self, key: str, reason: str = "", found: str = "") -> Proof:
        """The outcome: passed where there is no reason."""
        return outcome(key, self.wanted, reason, found)


@dataclass(frozen=True)
class End:
    """How one container ended: its exit code, and whole seconds from the delete."""

    container: str
    code: int
    after: float


def ends_in_order(cluster: Cluster, namespace: str, trial: Trial, key: str) -> Proof:
    """Delete a copy while it answers, and see whether the answer comes and how it ends.

    Raises EnvironmentFault where the copy can't be made, asked or watched to its end.
    """
    with acting(cluster, namespace) as holder:
        for _ in range(TRIES):
            seen = delete_while_it_answers(holder, trial, started(holder, trial))
            if seen is not None:
                return trial.proof(key, *verdict(trial, *seen))
    raise Busy("The machine is too busy to see how the copy ends: check again.")


def started(holder: Holder, trial: Trial) -> Object:
    """A copy that runs and answers."""
    first = START + start_time(trial.pod)
    budget = first + trial.takes + trial.grace + 60
    copy = soon_ready(copy_of(trial.pod, budget, held=True))
    make(holder.cluster, holder.namespace, copy)
    pod, ready = until(holder, name_of(copy), is_ready_or_restarted, first)
    if pod is None or not ready:
        trouble = pod_trouble(pod) if pod else None
        raise unready(trouble)(
            f"The course's copy of Pod {name_of(trial.pod)} did not get ready "
            f"({trouble.words if trouble else 'it is gone'}).",
            look=f"kubectl -n {holder.namespace} get events",
        )
    until_answered(holder, ask.address(dig(pod, "status", "podIP"), trial.port), START)
    return pod


def delete_while_it_answers(
    holder: Holder, trial: Trial, copy: Object
) -> tuple[ask.Answer, list[End]] | None:
    """Begin the request, delete the copy, and wait for both; None where that took too long."""
    url = ask.address(dig(copy, "status", "podIP"), trial.port, trial.path)
    name = name_of(copy)
    with ThreadPoolExecutor(1) as pool:
        # The API tells whole seconds: deleted at the start of one, the rest can be compared.
        deleted = whole_second(time.time() + LEAD)
        pause(deleted - LEAD)
        asked = pool.submit(ask.http, holder.cluster, url, timeout=trial.takes + PATIENCE)
        pause(deleted)
        holder.cluster.delete("Pod", name, holder.namespace, grace=trial.grace)
        late = time.time() - deleted
        pod, ended = until(holder, name, all_ended, trial.grace + LATE)
        (answer,) = asked.result()
    if pod is None or not ended:
        raise Busy(
            f"The course's copy {name} did not come to its end.",
            look=f"kubectl -n {holder.namespace} get pods",
        )
    told = told_soon(holder, name, deleted)
    # A request that never began, or was over before the kubelet stopped anything, proves nothing.
    if told is None or answer.reason in UNBEGUN or late > PROMPT or answer.at > deleted:
        return None
    if told + 1.0 > trial.takes - LEAD:
        return None
    return answer, how_ended(pod, deleted + told)


def told_soon(holder: Holder, name: str, deleted: float) -> float | None:
    """The same as `told_to_stop`; a busy API server hears of it a moment later."""
    end = time.monotonic() + HEARD
    while (told := told_to_stop(holder, name, deleted)) is None and time.monotonic() < end:
        holder.renew()
        time.sleep(STEP)
    return told


def told_to_stop(holder: Holder, name: str, deleted: float) -> float | None:
    """The seconds from its deletion until the kubelet began to stop a copy, by an Event's seconds.

    None where there is no Event `Killing` yet.
    """
    told = [
        at - deleted
        for one in events_of(holder, name)
        if one.get("reason") == "Killing"
        and (at := seconds(one.get("lastTimestamp"))) is not None
        and at >= int(deleted)
    ]
    return max(0.0, min(told)) if told else None


def whole_second(after: float) -> float:
    """The next whole second, with a moment to spare."""
    return float(int(after) + 1)


def pause(at: float) -> None:
    """Sleep until a time (epoch seconds)."""
    time.sleep(max(0.0, at - time.time()))


def all_ended(pod: Object) -> bool:
    """Whether every container of a Pod has ended; init containers that do not stay are left out."""
    states = [dig(status, "state", "terminated") for _, status in lasting(pod)]
    return bool(states) and all(states)


def lasting(pod: Object) -> list[tuple[Object, Object]]:
    """The containers of a Pod and its sidecars, each with its status."""
    first = [one for one in init_containers(pod) if is_sidecar(one[0])]
    return [*containers(pod), *first]


def how_ended(pod: Object, deleted: float) -> list[End]:
    """How each container ended, those left out that have not."""
    return [
        End(
            box["name"],
            int(end["exitCode"]),
            (seconds(end.get("finishedAt")) or deleted) - deleted,
        )
        for box, status in lasting(pod)
        if (end := dig(status, "state", "terminated"))
    ]


def verdict(trial: Trial, answer: ask.Answer, ends: list[End]) -> tuple[str, str]:
    """The reason and what was found; both empty where the copy ended in order."""
    killed = next((one for one in ends if one.code == KILLED), None)
    if killed:
        return "killed", (
            f"container {killed.container} was killed {killed.after:.0f} s after the delete "
            f"(exit code {KILLED})"
        )
    if answer.status != 200:
        what = f"HTTP {answer.status}" if answer.status else answer.error or "no answer"
        return "request-lost", f"the request that was under way is lost: {what}"
    if answer.seconds and answer.seconds < trial.takes - LEAD:
        return "wrong-answer", f"GET {trial.path} answers after {answer.seconds:.1f} s"
    late = next((one for one in ends if one.after >= trial.grace), None)
    if late:
        return "ends-late", (
            f"container {late.container} ended {late.after:.0f} s after the delete, "
            f"its grace is {trial.grace} s"
        )
    return "", ""
