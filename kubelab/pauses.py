"""A time in which nobody worked on a Deployment, as the record shows it: asked for, not done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from kubelab.history import DeploymentRecord, Entry, PodRecord

# Every controller of kube-controller-manager carries its name in the user agent.
WORKER = "kube-controller-manager"
# The criterion: for so many seconds after the change nothing happened.
LEAST = 5.0
# Of whose deeds none may be missing on record (`history.Audit.since`).
WHOSE = ("people", "components", "refused components")
# The recorder sees a change at most so much later.
LATE = 10.0
AT = attrgetter("at")


class Wish(NamedTuple):
    """So many Pods, from a moment on; whether somebody's request for it is on record."""

    at: float
    replicas: int
    on_record: bool


@dataclass(frozen=True)
class Rest:
    """The time from `began`, the last deed of a controller before `asked`, to the next, `woke`."""

    began: float
    asked: float
    woke: float | None

    def came(self, own: Iterable[PodRecord], entries: Iterable[Entry]) -> int:
        """How many of a Deployment's Pods came in the meantime, so from somebody's hand."""
        deeds = [one for one in entries if by_hand(one) and self.began <= one.at < self.until]
        made = {one.name for one in deeds if one.code == 201}
        written = {one.name for one in deeds if one.code != 201}
        return sum(
            # One that waits since before for a controller to adopt it has not come yet.
            int(self.asked) <= one.created < self.until or (one.name in written and self.taken(one))
            if made_alone(one)
            else one.name in made or self.made(one)
            for one in own
        )

    @property
    def until(self) -> float:
        """When it ended."""
        return float("inf") if self.woke is None else self.woke

    def made(self, pod: PodRecord) -> bool:
        """Whether a Pod was made then, under whatever name: who lets the API choose tells none.

        Its creation is a whole second, cut off, and its request a moment older.
        """
        return min(self.asked, self.began + 1.0) < pod.created < self.until - 1.0

    def taken(self, pod: PodRecord) -> bool:
        """Whether a Pod got its controller then."""
        return any(owner and self.began < at < self.until for at, owner in pod.owners)


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
    record: DeploymentRecord,
    pods: Iterable[PodRecord],
    entries: Iterable[Entry],
    since: float = 0.0,
) -> Iterator[Pause]:
    """Every change of a Deployment's spec that asked for more Pods than it had wished for.

    Before `since` the record of the controllers is not whole, and proves nothing.
    """
    own = [one for one in pods if one.belonged_to(record.uid)]
    several = list(entries)
    # Who is refused is at work, too.
    at_work = sorted(one.at for one in several if by_worker(one))
    wishes = wishes_of(record, several)
    for number, (asked, replicas, on_record) in enumerate(wishes[1:], 1):
        least = served(wishes[:number], at_work, asked)
        if replicas <= least or asked < since or not on_record:
            continue
        woke = next((at for at in at_work if at >= asked - 0.05), None)
        done = None if woke is None else converged_at(wishes, own, least, asked, woke)
        began = max((since, *(at for at in at_work if at < asked - 0.05)))
        rest = Rest(began, asked, woke)
        yield Pause(asked, replicas, woke, done, rest.came(own, several))


def wishes_of(record: DeploymentRecord, entries: Sequence[Entry]) -> list[Wish]:
    """The number of replicas of each spec, and since when; the newest last.

    A watch that was cut off sees a change late; whoever asked for it is on record in time. What
    an autoscaler wishes nobody has asked for.
    """
    writes = sorted((one for one in entries if one.done and writes_spec(one, record.name)), key=AT)
    wishes: list[Wish] = []
    before = [float("-inf"), *(one.at - LATE for one in record.changes)]
    # The newest first: two changes that are seen at once are two requests.
    for change, since in reversed(list(zip(record.changes, before, strict=False))):
        while writes and writes[-1].at > change.at:
            writes.pop()
        made = writes.pop() if writes and writes[-1].at > since else None
        by_somebody = made is not None and not by_worker(made)
        wishes.append(Wish(made.at if made else change.at, change.replicas, by_somebody))
    return wishes[::-1]


def served(wishes: Sequence[Wish], at_work: Sequence[float], asked: float) -> int:
    """The most that counts before a moment: what a controller last worked on, or the newest wish.

    What was wished for in between, and is no more, has moved nobody.
    """
    last = max((at for at in at_work if at < asked), default=None)
    known = [one.replicas for one in wishes if last is None or one.at <= last]
    counted = known if last is None else known[-1:]
    return max((*counted, wishes[-1].replicas))


def by_worker(entry: Entry) -> bool:
    """Whether a controller did it."""
    return entry.user_agent.startswith(WORKER)


def writes_spec(entry: Entry, deployment: str) -> bool:
    """Whether the Deployment was written, and not its status."""
    return (
        entry.resource == "deployments"
        and entry.name == deployment
        and entry.subresource in ("", "scale")
        and entry.verb in ("update", "patch")
    )


def by_hand(entry: Entry) -> bool:
    """Whether somebody, and no controller, wrote a Pod; a server-side apply makes one, too."""
    return (
        entry.done
        and (entry.resource, entry.subresource) == ("pods", "")
        and entry.verb in ("create", "update", "patch")
        and not by_worker(entry)
    )


def made_alone(pod: PodRecord) -> bool:
    """Whether a Pod had no controller at first: one that a ReplicaSet makes has it at once."""
    return bool(pod.owners) and pod.owners[0][1] is None


def converged_at(
    wishes: Sequence[Wish], own: Sequence[PodRecord], least: int, asked: float, woke: float
) -> float | None:
    """When as many Pods were ready as were wished for then; None: it did not come to that.

    A wish that was taken back meanwhile has ended; the same number, asked for anew, is another.
    """
    back = (one.at for one in wishes if one.at > asked and one.replicas <= least)
    ends = min(back, default=float("inf"))
    changes = (at for one in own for at, _ in (*one.ready, *one.owners))
    moments = {woke, *(one.at for one in wishes), *changes}
    for at in sorted(at for at in moments if woke <= at < ends):
        wanted = next(one.replicas for one in reversed(wishes) if one.at <= at)
        ready = sum(one.ready_at(at) and one.owned_at(at) for one in own)
        if ready >= wanted:
            return at
    return None


def best(several: Iterable[Pause], now: float) -> Pause | None:
    """The one that comes nearest to the criterion; of equals the newest."""
    return max(
        several, key=lambda one: (one.held(now), one.held(now) and one.converged, one.asked),
        default=None,
    )  # fmt: skip
