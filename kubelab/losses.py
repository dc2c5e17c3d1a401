"""Requests that were lost while Pods came and went: how many, and what happened just before.

Pure functions of `kubelab.history`. A Pod that drains accepts until every node has learned that it
goes. Where that took longer than any Pod could foresee, a request that was lost is the machine's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kubelab.history import PodRecord, Request, Requests

# Every node has learned by then that a Pod goes, on a machine that keeps up.
LEARNED = 5.0
# What is recorded of a Pod may be so much later than what is recorded of a request.
AHEAD = 2.0
# For so long after its end a Pod may still be asked on a machine that does not.
STALE = 15.0
# A Pod that stops being ready without being deleted explains what is lost around it.
AROUND = 10.0
# A request is quick below so many seconds; what began so close to another one is beside it.
QUICK = 1.0
BESIDE = 1.0
FEW = 3
# So many requests that hang beside quick ones are no accident.
MANY = 5
# No packet came back: where nobody listens, the node of a Pod that is there refuses.
NO_CONNECTION = "no-connection"


@dataclass(frozen=True)
class Losses:
    """How many requests were lost, and how the first one was, in words."""

    count: int = 0
    words: str = ""


def of(requests: Requests, pods: Sequence[PodRecord]) -> Losses:
    """What was lost of these requests to a Service with these Pods."""
    lines = [line for line in requests.taken_by_none if not late(line, pods)]
    lines = sorted([*lines, *hung(requests.lines)], key=lambda line: line.at)
    if not lines:
        return Losses()
    return Losses(sum(line.count for line in lines), told(lines[0], pods))


def hung(lines: Sequence[Request]) -> list[Request]:
    """The requests that a server took and never answered, while others were quick.

    One that came too late is the machine's. Many are a server's, where most of those that were
    begun at the same time had their answers at once.
    """
    single = [line for line in lines if line.count == 1]
    quick = [line.at for line in single if line.ok and line.seconds < QUICK]
    slow = [line for line in single if line.reason == "timeout"]

    def alone(line: Request) -> bool:
        beside = sum(abs(at - line.at) <= BESIDE for at in quick)
        others = sum(abs(one.at - line.at) <= BESIDE for one in slow)
        return beside >= max(others, FEW)

    found = [line for line in slow if alone(line)]
    return found if len(found) >= MANY else []


def late(line: Request, pods: Sequence[PodRecord]) -> bool:
    """Whether only the machine explains a loss, and no Pod that a learner could have made better.

    A Pod that drained was asked nevertheless, or packets were lost on the way to Pods of which
    none had just gone in haste.
    """
    at = line.at
    there = [pod for pod in pods if pod.created <= at]
    serves = any(pod.ready_at(at) and not stopping(pod, at) for pod in there)
    drained = any(
        (since := since_stop(pod, at)) is not None
        and since >= LEARNED
        and (pod.gone is None or at - pod.gone <= STALE)
        for pod in there
    )
    on_the_way = line.reason == NO_CONNECTION and not any(gone_around(pod, at) for pod in there)
    hurried = any(hasty(pod, at) for pod in there)
    broken = [pod for pod in there if failed(pod, at)]
    if on_the_way:
        # One that a busy kubelet could not ask for a moment, and that never ended, loses none.
        broken = [pod for pod in broken if pod.restarts or not pod.is_ready]
    return serves and (drained or on_the_way) and not hurried and not broken


def gone_around(pod: PodRecord, at: float) -> bool:
    """Whether it ended around this moment, and before everybody knew."""
    if pod.gone is None:
        return False
    told = pod.gone if pod.deleting is None else pod.deleting
    return pod.gone - told < LEARNED and -AHEAD <= at - told <= LEARNED


def hasty(pod: PodRecord, at: float) -> bool:
    """Whether it was told to stop a moment before, and had ended before everybody knew."""
    since = since_stop(pod, at)
    if since is None or since >= LEARNED or pod.deleting is None:
        return False
    return pod.gone is not None and pod.gone - pod.deleting < LEARNED


def failed(pod: PodRecord, at: float) -> bool:
    """Whether a Pod that was ready stopped being so around this moment, and nobody deleted it."""
    return any(abs(at - when) <= AROUND and not stopping(pod, when) for when in unready(pod.ready))


def unready(ready: Iterable[tuple[float, bool]]) -> Iterator[float]:
    """The moments at which a Pod that was ready was no longer."""
    before = False
    for when, value in ready:
        if before and not value:
            yield when
        before = value


def stopping(pod: PodRecord, at: float) -> bool:
    """Whether it had been told to stop by this moment."""
    return since_stop(pod, at) is not None


def since_stop(pod: PodRecord, at: float) -> float | None:
    """The seconds since it was told to stop; None where it was not."""
    told = pod.deleting or pod.gone
    return at - told if told is not None and told <= at else None


def told(line: Request, pods: Sequence[PodRecord]) -> str:
    """A lost request in words: its reason, and what had happened to a Pod just before."""
    happened: list[tuple[float, str]] = []
    for pod in pods:
        happened += [(when, f"{pod.name} was ready") for when, value in pod.ready if value]
        happened += [(when, f"{pod.name} was not ready") for when in unready(pod.ready)]
        if pod.deleting is not None:
            happened.append((pod.deleting, f"{pod.name} was told to stop"))
        if pod.gone is not None:
            happened.append((pod.gone, f"{pod.name} had gone"))
    before = [one for one in happened if one[0] <= line.at]
    reason = line.reason or f"HTTP {line.status}"
    if not before:
        return reason
    when, words = max(before)
    return f"{reason} {line.at - when:.1f} s after {words}"
