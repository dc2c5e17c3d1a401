"""A time in which nobody worked on a Deployment, as the record shows it: asked for, not done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kubelab.history import DeploymentRecord, Entry, PodRecord

# Every controller of kube-controller-manager carries its name in the user agent.
WORKER = "kube-controller-manager"
# The criterion: for so many seconds after the change nothing happened.
LEAST = 5.0


@dataclass(frozen=True)
class Pause:
    """A Deployment was told to have more Pods at `asked`; seconds since the epoch.

    `woke` is when a controller first did anything in the namespace afterwards, and `done` when as
    many Pods were ready as the spec asked for; None: it did not come to that.
    """

    asked: float
    replicas: int
    woke: float | None
    done: float | None
    pods_meanwhile: int = 0

    def quiet(self, now: float) -> float:
        """The seconds in which no controller did anything."""
        return (now if self.woke is None else self.woke) - self.asked

    def held(self, now: float) -> bool:
        """Whether it was quiet for long enough, and no Pod came meanwhile."""
        return self.quiet(now) >= LEAST and not self.pods_meanwhile

    @property
    def converged(self) -> bool:
        """Whether the Pods came in the end."""
        return self.done is not None


def pauses(
    record: DeploymentRecord, pods: Iterable[PodRecord], entries: Iterable[Entry]
) -> Iterator[Pause]:
    """Every change of a Deployment's spec that asked for more Pods than there were."""
    own = [one for one in pods if one.belonged_to(record.uid)]
    several = list(entries)
    # Who is refused is at work, too.
    at_work = sorted(one.at for one in several if one.user_agent.startswith(WORKER))
    writes = [one.at for one in several if one.done and asks(one, record.name)]
    for before, change in zip(record.changes, record.changes[1:], strict=False):
        # A watch that was cut off sees the change late; whoever asked for it is on record in time.
        asked = max((at for at in writes if before.at < at <= change.at), default=change.at)
        least = max(before.replicas, sum(stays_at(one, asked) for one in own))
        if change.replicas <= least:
            continue
        woke = next((at for at in at_work if at >= asked - 0.05), None)
        done = None if woke is None else converged_at(record, own, least, woke)
        until = float("inf") if woke is None else woke
        # A Pod's creation is a whole second, cut off.
        early = sum(asked < one.created < until - 1.0 for one in own)
        yield Pause(asked, change.replicas, woke, done, early)


def asks(entry: Entry, deployment: str) -> bool:
    """Whether somebody, and no controller, wrote the spec of the Deployment."""
    return (
        entry.resource == "deployments"
        and entry.name == deployment
        and entry.subresource in ("", "scale")
        and entry.verb in ("update", "patch")
        and not entry.user_agent.startswith(WORKER)
    )


def stays_at(pod: PodRecord, at: float) -> bool:
    """Whether a Pod was there before a moment, and is not on its way out."""
    # Its creation is a whole second, cut off: of the same one, it may have come afterwards.
    before = pod.created <= at - 1.0 and pod.there_at(at)
    return before and (pod.deleting is None or at < pod.deleting)


def converged_at(
    record: DeploymentRecord, own: Iterable[PodRecord], least: int, since: float
) -> float | None:
    """When as many Pods were ready as were asked for then, more than `least`; or None."""
    several = list(own)
    moments = sorted(at for one in several for at, _ in one.ready if at >= since)
    for at in moments:
        spec = record.spec_at(at)
        ready = sum(one.ready_at(at) for one in several)
        if spec is not None and ready >= spec.replicas > least:
            return at
    return None


def best(several: Iterable[Pause], now: float) -> Pause | None:
    """The one that comes nearest to the criterion; of equals the newest."""
    return max(
        several, key=lambda one: (one.held(now), one.held(now) and one.converged, one.asked),
        default=None,
    )  # fmt: skip
