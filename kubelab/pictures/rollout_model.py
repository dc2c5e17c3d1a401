"""A rollout, made from the live Deployment and the course's record of it."""

from __future__ import annotations

from collections.abc import Sequence

from kubelab import history
from kubelab.history import DeploymentRecord, PodRecord, SpecChange
from kubelab.objects import Object, condition, dig, meta, name_of
from kubelab.pictures.drawing import clock
from kubelab.pictures.rollout import Change, Lane, Rollout, Tally

LEAD = 3.0  # seconds shown before the change
ENDS = ("NewReplicaSetAvailable", "ProgressDeadlineExceeded")
# A Pod that is told to end may take its grace; longer than this nobody looks at it.
LAST = 20.0


def began(record: DeploymentRecord) -> float:
    """When the newest rollout began: with the first change of the template that no end follows."""
    changes = record.templates
    if not changes:
        return record.created
    first = changes[-1].at
    for before, change in zip(reversed(changes[:-1]), reversed(changes), strict=False):
        between = (at for at, why in record.progress if why in ENDS)
        if any(before.at < at <= change.at for at in between):
            break
        first = before.at
    return first


def rollout(
    live: Object,
    record: DeploymentRecord | None,
    pods: Sequence[PodRecord],
    requests: history.Requests | None,
    zero: float,
    now: float,
) -> Rollout:
    """What is known about the rollout that began at `zero` (seconds since the epoch)."""
    own = [pod for pod in pods if record and pod.belonged_to(record.uid)]
    begin = zero - LEAD
    own = [pod for pod in own if pod.gone is None or pod.gone > begin]
    lanes = _lanes(own, zero)
    changes = tuple(_changes(record, zero)) if record else ()
    state, over = state_of(live)
    newest = changes[-1].at if changes else None
    if record and any(one.generation > meta(live)["generation"] for one in record.changes):
        # Read before the change that the record has already.
        state, over = "the rollout goes on", False
    if over:
        done = _done(lanes, now - zero)
        ending = any(lane.ending is not None and lane.gone is None for lane in lanes)
        if ending and now - zero - done < LAST:
            over, state = False, f"{state}; old Pods are ending"
        elif newest is not None and "ProgressDeadlineExceeded" not in state:
            state = state.replace("complete", f"complete after {clock(max(0.0, done - newest))}")
    return Rollout(
        name=f"deployment/{name_of(live)}",
        zero=zero,
        begin=-LEAD,
        end=max(now - zero, 1.0),
        lanes=lanes,
        changes=changes,
        service=requests.service if requests else None,
        tallies=_tallies(requests, zero, now) if requests else (),
        state=state,
        over=over,
    )


def state_of(live: Object) -> tuple[str, bool]:
    """What the Deployment says of its rollout, and whether that is an end."""
    status, wanted = live.get("status") or {}, dig(live, "spec", "replicas")
    wanted = 1 if wanted is None else wanted
    if status.get("observedGeneration", 0) < dig(live, "metadata", "generation"):
        return "the change is not seen by its controller yet", False
    total, updated = status.get("replicas", 0), status.get("updatedReplicas", 0)
    available = status.get("availableReplicas", 0)
    counts = f"{updated} of {wanted} Pods are new, {available} available"
    if dig(live, "spec", "paused"):
        return f"the rollout is paused: {counts}", False
    progressing = condition(live, "Progressing")
    if updated == wanted == total == available:
        return f"the rollout is complete: {wanted} of {wanted} Pods are new", True
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return f"the rollout has stopped, ProgressDeadlineExceeded: {counts}", True
    return f"the rollout goes on: {counts}", False


def _lanes(pods: Sequence[PodRecord], zero: float) -> tuple[Lane, ...]:
    """The Pods, version by version in the order in which these came."""
    groups: dict[str, list[PodRecord]] = {}
    for pod in sorted(pods, key=lambda pod: (pod.created, pod.name)):
        first = next((owner.name for _, owner in pod.owners if owner), "")
        groups.setdefault(first, []).append(pod)
    names = {group: _version(several[-1]) for group, several in groups.items()}
    twice = [name for name in names.values() if list(names.values()).count(name) > 1]
    lanes = []
    for look, (group, several) in enumerate(groups.items()):
        name = names[group]
        version = f"{name} {group.rpartition('-')[2][:4]}" if name in twice else name
        lanes += [_lane(pod, version, look, zero) for pod in several]
    return tuple(lanes)


def _version(pod: PodRecord) -> str:
    if pod.version:
        return pod.version
    image = next(iter(pod.images.values()), "")
    return image.rpartition("/")[2].rpartition(":")[2] or "?"


def _lane(pod: PodRecord, version: str, look: int, zero: float) -> Lane:
    end = pod.deleting if pod.deleting is not None else pod.gone
    stretches: list[tuple[float, float | None]] = []
    stops = [*(at for at, _ in pod.ready[1:]), end]
    for (at, ready), stop in zip(pod.ready, stops, strict=False):
        if stop is not None and end is not None:
            stop = min(stop, end)
        if ready and (stop is None or stop > at):
            stretches.append((at - zero, None if stop is None else stop - zero))
    return Lane(
        pod=pod.name,
        version=version,
        look=look,
        made=pod.created - zero,
        ready=tuple(stretches),
        ending=None if pod.deleting is None else pod.deleting - zero,
        gone=None if pod.gone is None else pod.gone - zero,
    )


def _changes(record: DeploymentRecord, zero: float) -> list[Change]:
    """What was changed since shortly before `zero`, each as the difference to what was before."""
    found = []
    for before, change in zip((None, *record.changes), record.changes, strict=False):
        words = _difference(before, change)
        if change.at >= zero - LEAD and words:
            found.append(Change(change.at - zero, words))
    return found


def _difference(before: SpecChange | None, change: SpecChange) -> str:
    if before is None:
        return f"made: {change.version or _images(change)}, replicas {change.replicas}"
    parts = []
    if before.template != change.template:
        old, new = before.version or _images(before), change.version or _images(change)
        parts.append(f"template: {old} -> {new}" if old != new else f"template: {new}, changed")
    if before.replicas != change.replicas:
        parts.append(f"replicas: {before.replicas} -> {change.replicas}")
    if before.paused != change.paused:
        parts.append("paused" if change.paused else "resumed")
    return ", ".join(parts)


def _images(change: SpecChange) -> str:
    return ", ".join(change.images.values())


def _tallies(requests: history.Requests, zero: float, now: float) -> tuple[Tally, ...]:
    found = []
    for one in requests.between(zero - LEAD, now).lines:
        reason = None if one.ok else one.reason or f"HTTP {one.status}"
        found.append(Tally(one.at - zero, one.until - zero, one.version, one.count, reason))
    return tuple(found)


def _done(lanes: Sequence[Lane], end: float) -> float:
    """When the last Pod became ready or was told to end."""
    moments = [start for lane in lanes for start, stop in lane.ready if stop is None]
    moments += [lane.ending for lane in lanes if lane.ending is not None]
    return max((at for at in moments if at <= end), default=end)
