"""Jobs and their Pods: how a Job stands, when each Pod worked, how many did so at a time.

The API tells whole seconds, cut off. A Job's controller makes the next Pod only after it has seen
the end of the one before, so the cut times never show two Pods side by side that were not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kubelab.history import PodRecord
from kubelab.objects import (
    Object,
    condition,
    containers,
    controller,
    dig,
    init_containers,
    is_sidecar,
    meta,
    name_of,
    seconds,
)

NAME = "batch.kubernetes.io/job-name"
INDEX = "batch.kubernetes.io/job-completion-index"
# Of a Pod that is gone the recorder saw the end at most so much later.
LATE = 2.0
# The phases of a Pod that the recorder alone knows still, see `Run`.
GONE = ("gone", "deleted")
# A Pod that nobody saw at work was there for so long at least, a short run's time.
UNSEEN = 3.0
# A node with time to spare starts the next container of a Pod in this time.
PROMPT = 2.0
# So many Pods that failed alike, none that succeeded: the next one will fail, too.
HOPELESS = 3


@dataclass(frozen=True)
class Run:
    """One Pod of a Job, in seconds since the epoch; what has not come yet is None.

    `code` is the exit code of its first container that failed, 0 where all ended well. `phase` is
    the Pod's, `gone` where it had ended before it was deleted, `deleted` where it had not. `begun`
    is when its first init container was started, where there is one that ends.
    """

    pod: str
    index: int | None
    created: float
    started: float | None
    ended: float | None
    code: int | None = None
    phase: str = ""
    begun: float | None = None

    @property
    def seconds(self) -> float | None:
        """How long it worked, its init containers too."""
        if self.started is None or self.ended is None:
            return None
        return self.ended - (self.begun or self.started)

    @property
    def waited(self) -> float:
        """The seconds that it took to start, for certain: the recorder sees a start late."""
        if self.started is None:
            return 0.0
        late = LATE if self.phase in GONE else 0.0
        return (self.begun or self.started) - self.created - late

    @property
    def surely_until(self) -> float | None:
        """Until when it was surely there.

        Of a Pod that nobody saw at work the recorder knows no end but its deletion, which may be
        long after. A kubelet that has much to do tells nothing of a run that is over meanwhile.
        """
        if self.started is not None or self.ended is None or self.phase not in GONE:
            return self.ended
        return min(self.ended, self.created + UNSEEN)


def ending(job: Object | None) -> Object:
    """The condition that a Job has ended with, Complete or Failed; empty while it goes on."""
    for kind in ("Complete", "Failed"):
        found = condition(job or {}, kind)
        if found.get("status") == "True":
            return found
    return {}


def failed(job: Object | None) -> Object:
    """The condition Failed of a Job that has failed; empty otherwise."""
    found = ending(job)
    return found if found.get("type") == "Failed" else {}


def paused(spec: Object | None) -> str:
    """Why a Job of this spec makes no Pods: `suspended`, `parallelism 0`; empty where it does."""
    if dig(spec, "parallelism") == 0:
        return "parallelism 0"
    return "suspended" if dig(spec, "suspend") else ""


def is_hopeless(job: Object) -> bool:
    """Whether Pod after Pod fails."""
    status = job.get("status") or {}
    return status.get("failed", 0) >= HOPELESS and not status.get("succeeded")


def worked(runs: Iterable[Run], now: float) -> float:
    """The seconds until `now` in which a Pod of a Job, one at least, was at work."""
    spans = sorted(
        (at, now if one.ended is None else one.ended)
        for one in runs
        if (at := one.begun or one.started)
    )
    total = until = 0.0
    for begun, ended in spans:
        total += max(0.0, ended - max(begun, until))
        until = max(until, ended)
    return total


def pods_of(job: Object | None, pods: Iterable[Object]) -> list[Object]:
    """The Pods that a Job made, the oldest first."""
    uid = meta(job or {}).get("uid")
    own = [one for one in pods if uid and (controller(one) or {}).get("uid") == uid]
    return sorted(own, key=lambda one: (str(meta(one).get("creationTimestamp")), name_of(one)))


def has_ended(pod: Object) -> bool:
    """Whether a Pod has come to its end, a good or a bad one."""
    return dig(pod, "status", "phase") in ("Succeeded", "Failed")


def index_of(pod: Object) -> int | None:
    """The completion index of a Pod of an Indexed Job."""
    for where in ("annotations", "labels"):
        found = str((meta(pod).get(where) or {}).get(INDEX, ""))
        if found.isdigit():
            return int(found)
    return None


def run_of(pod: Object) -> Run:
    """When a Pod worked, by its containers; sidecars are left out."""
    created = seconds(meta(pod).get("creationTimestamp")) or 0.0
    states = [status.get("state") or {} for _, status in containers(pod)]
    ends = [one["terminated"] for one in states if "terminated" in one]
    begun = [one for state in states for one in state.values() if one.get("startedAt")]
    started = min((seconds(one["startedAt"]) or created for one in begun), default=None)
    ended = None
    if ends and len(ends) == len(states):
        ended = max(seconds(one.get("finishedAt")) or created for one in ends)
    elif has_ended(pod):
        # Evicted, or past its deadline before a container was there.
        ended = seconds(condition(pod, "Ready").get("lastTransitionTime")) or created
    first = [
        seconds(dig(status, "state", "terminated", "startedAt"))
        or seconds(dig(status, "state", "running", "startedAt"))
        for box, status in init_containers(pod)
        if not is_sidecar(box)
    ]
    codes = [int(one.get("exitCode", 0)) for one in ends]
    return Run(
        pod=name_of(pod),
        index=index_of(pod),
        created=created,
        started=started,
        ended=ended,
        code=next((one for one in codes if one), 0) if codes and ended is not None else None,
        phase=str(dig(pod, "status", "phase") or "Pending"),
        begun=min((one for one in first if one is not None), default=None),
    )


def whole_run_of(pod: Object) -> Run:
    """The same, sidecars included: they may begin before the work, and keep the Pod after it."""
    run = run_of(pod)
    states = [status.get("state") or {} for box, status in init_containers(pod) if is_sidecar(box)]
    told = [one for state in states for one in state.values()]
    starts = [run.begun or run.started, *(seconds(one.get("startedAt")) for one in told)]
    ends = [at for one in told if (at := seconds(one.get("finishedAt")))]
    goes_on = any("running" in state for state in states) and not has_ended(pod)
    return replace(
        run,
        # A container that could not be started tells no time.
        begun=min(filter(None, starts), default=None),
        ended=None if run.ended is None or goes_on else max(run.ended, *ends, 0.0),
    )


def kept_waiting(pod: Object, now: float) -> float:
    """The seconds that a node let a Pod's next container wait for no cause of the Pod's own.

    What comes before it has ended, or is a sidecar that counts as started when it runs.
    """
    boxes = init_containers(pod)
    upto = [ready_for_next(box, status) for box, status in boxes]
    work = [begun_once(status, now) for _, status in containers(pod)]
    begun = [begun_once(status, now) for _, status in boxes[1:]]
    # The work begins with the first of its containers.
    begun += [None if None in work else min(filter(None, work), default=None)]
    spans = [after - before for before, after in zip(upto, begun, strict=False) if before and after]
    return sum(one - PROMPT for one in spans if one > PROMPT)


def ready_for_next(box: Object, status: Object) -> float | None:
    """When an init container was done, or ran as a sidecar; None where only itself knows.

    A startup probe, or a hook after its start, may take as long as it likes.
    """
    states = (status.get("state") or {}).values()
    if not is_sidecar(box):
        return next(
            (seconds(one["finishedAt"]) for one in states if one.get("exitCode") == 0), None
        )
    if box.get("startupProbe") or dig(box, "lifecycle", "postStart"):
        return None
    return next((seconds(one.get("startedAt")) for one in states), None)


def begun_once(status: Object, now: float) -> float | None:
    """When a container was started, `now` where it was not yet; None where it was so twice."""
    if status.get("restartCount") or status.get("lastState"):
        return None
    starts = [one.get("startedAt") for one in (status.get("state") or {}).values()]
    return next((seconds(one) for one in starts if one), now)


def remembered(record: PodRecord) -> Run:
    """When a Pod worked that is gone: as it said itself, else as far as the recorder saw it."""
    if record.last and (told := run_of(record.last)).ended is not None:
        return told
    first, last = seen_at_work(record)
    phase = "gone" if last is None or last != record.deleting else "deleted"
    ended = None if last is None else last - LATE
    return Run(record.name, None, record.created, first, ended, phase=phase)


def seen_at_work(record: PodRecord) -> tuple[float | None, float | None]:
    """When the recorder saw a Pod ready first, and no more; None for what it has not seen."""
    first = next((at for at, ready in record.ready if ready), None)
    ends = [at for at, ready in record.ready if first is not None and not ready and at > first]
    ends += [at for at in (record.deleting, record.gone) if at is not None]
    return first, min(ends, default=None)


def seen_at_once(records: Iterable[PodRecord]) -> int:
    """The most Pods that the recorder saw ready at one moment, in the order of its one watch."""
    spans = map(seen_at_work, records)
    return at_once((first, last) for first, last in spans if first is not None)


def at_once(spans: Iterable[tuple[float, float | None]]) -> int:
    """The most spans at one moment; a span ends before its last moment, or not yet (None)."""
    several = list(spans)
    return max(
        (
            sum(begin <= at and (end is None or at < end) for begin, end in several)
            for at, _ in several
        ),
        default=0,
    )


def pods_at_once(runs: Iterable[Run]) -> int:
    """The most Pods that were there and not at their end: never more than the Job allowed."""
    return at_once((one.created, one.ended) for one in runs)


def surely_at_once(runs: Iterable[Run]) -> int:
    """The same, where it is certain: there may have been more."""
    return at_once((one.created, one.surely_until) for one in runs)


def may_have_worked_at_once(runs: Iterable[Run]) -> int:
    """The most Pods whose containers may have run at one moment, for all that is known.

    The API cuts seconds. The recorder sees a start late, and an end is told at its earliest.
    """

    def span(one: Run, begin: float) -> tuple[float, float | None]:
        late = LATE if one.phase in GONE else 0.0
        return begin - late, None if one.ended is None else one.ended + late + 1.0

    return at_once(span(one, one.started) for one in runs if one.started is not None)


def indexes(text: str | None) -> set[int]:
    """The numbers of `status.completedIndexes`: `0,2-4` is 0, 2, 3 and 4."""
    found: set[int] = set()
    for part in (text or "").split(","):
        first, _, last = part.strip().partition("-")
        if first.isdigit():
            found |= set(range(int(first), int(last or first) + 1))
    return found
