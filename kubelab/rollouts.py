"""What the record says about a Deployment's releases: which version when, and what was lost.

Pure functions of `kubelab.history`. A release is a stretch of time in which the Pod template asked
for one version; an update is the change from one release to the next.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kubelab import losses
from kubelab.history import DeploymentRecord, PodRecord, Request, Requests
from kubelab.objects import Object, repository

# A Pod that has ended may still be asked for so long: the data path learns of it later.
AFTER = 1.0
# The recorder may hear of a change so much later than the controller that makes its Pods.
HEARD = 15.0
# What is recorded of a Pod may be so much later than what is recorded of its Deployment.
APART = 2.0
# The load asks ten times a second; a longer silence says that it was not at work.
SILENCE = 5.0
# A request that fails may take so long to do so: before, it is on no line.
UNDER_WAY = 5.5


@dataclass(frozen=True)
class Release:
    """A stretch in which the template asked for one version; `until` None: it still does."""

    version: str | None
    since: float
    until: float | None


@dataclass(frozen=True)
class Update:
    """One change of version as it went; `fault` is empty where nothing of it is missing.

    `ended` is None while Pods of it are still on their way out. `lost` of `asked` requests got no
    answer between `began` and `ended`; `first` says how it went with the first of them. `ready`: a
    Pod of a bad release was.
    """

    began: float
    ended: float | None = None
    asked: int = 0
    lost: int = 0
    fault: str = ""
    words: str = ""
    first: str = ""
    ready: bool = False

    @property
    def clean(self) -> bool:
        """Whether it was seen as a whole, no request was lost, and nothing bad got ready."""
        return not (self.fault or self.ended is None or self.lost or self.ready)

    def under_way(self, now: float) -> float:
        """The seconds until every request of its time has come to its end."""
        return 0.0 if self.ended is None else max(0.0, self.ended + UNDER_WAY - now)


@dataclass(frozen=True)
class Record:
    """Everything that is on record about one Deployment and the Service in front of it."""

    deployment: DeploymentRecord
    pods: tuple[PodRecord, ...]
    requests: Requests
    now: float

    def of(self, version: str) -> list[PodRecord]:
        """The Deployment's Pods of one version."""
        uid = self.deployment.uid
        return [pod for pod in self.pods if pod.version == version and pod.belonged_to(uid)]


def record_of(
    uid: str,
    deployments: Iterable[DeploymentRecord],
    pods: Sequence[PodRecord],
    requests: Requests,
    now: float,
    box: Object,
) -> Record | None:
    """The record of the Deployment with this uid; None where there is none.

    Its versions are those of one container, `box`: several may run the page's image.
    """
    found = next((one for one in deployments if one.uid == uid), None)
    if found is None:
        return None
    changes = tuple(
        replace(one, version=version_of(one.images, one.version, box)) for one in found.changes
    )
    several = tuple(replace(one, version=version_of(one.images, one.version, box)) for one in pods)
    return Record(replace(found, changes=changes), several, requests, now)


def version_of(images: Mapping[str, str], other: str | None, box: Object) -> str | None:
    """The version of one container's image; `other` where no container of its name ran it."""
    image = images.get(str(box.get("name")))
    if image is None or repository(image) != repository(box.get("image")):
        return other
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2] or other


def releases(deployment: DeploymentRecord) -> list[Release]:
    """The releases of a Deployment, in order; changes that keep the version belong to one."""
    found: list[Release] = []
    for change in deployment.changes:
        if found and found[-1].version == change.version:
            continue
        if found:
            found[-1] = Release(found[-1].version, found[-1].since, change.at)
        found.append(Release(change.version, change.at, None))
    return found


def updates(record: Record, origin: str, target: str) -> list[Update]:
    """Every update from one version to the next on record, the oldest first."""
    several = releases(record.deployment)
    return [
        update(record, after, origin)
        for before, after in itertools.pairwise(several)
        if (before.version, after.version) == (origin, target)
    ]


def update(record: Record, release: Release, origin: str) -> Update:
    """How one update went: from the change of the template until the last old Pod has gone."""
    began = release.since
    # Those that a return to this version made later are of another update; times are whole seconds.
    until = record.now if release.until is None else float(int(release.until))
    old = [
        pod for pod in record.of(origin) if (pod.gone or record.now) > began and pod.created < until
    ]
    new = [pod for pod in record.of(release.version or "") if (pod.gone or record.now) > began]
    first = min((at for pod in new if (at := first_ready(pod)) is not None), default=None)
    told = [pod.deleting or pod.gone for pod in old]
    ended = closed(old, first)
    lines = record.requests.between(began, record.now if ended is None else ended)
    lost = losses.of(lines, [*old, *new])
    found = Update(began, ended, lines.total, lost.count, first=lost.words)
    if not answered(record.requests, origin, 0.0, record.now if ended is None else ended):
        return faulty(found, f"no request was answered by {origin} before it")
    if not old:
        return faulty(found, f"no Pod of {origin} was there when the image changed")
    if first is None or None in told:
        return faulty(found, f"its Pods are not all of {release.version} yet")
    over = max([first, *[at for at in told if at is not None]])
    if release.until is not None and over > release.until + APART:
        return faulty(found, "the next change came before it was complete")
    if ended is not None and silent(lines, began, ended):
        return faulty(found, f"nobody asked for more than {SILENCE:.0f} s of it")
    if not answered(record.requests, release.version or "", began, record.now):
        return faulty(found, f"no request was answered by {release.version}")
    return found


def bad_releases(record: Record, version: str) -> list[Update]:
    """Every try of a release that never gets ready, the oldest first."""
    found, before = [], 0.0
    for release in releases(record.deployment):
        if release.version == version:
            end = record.now if release.until is None else release.until
            # The Pods of another try count for that one.
            begin = max(release.since - HEARD, before)
            pods = [one for one in record.of(version) if begin <= one.created <= end]
            found.append(bad_release(record, release, pods))
            before = end
    return found


def bad_release(record: Record, release: Release, pods: Sequence[PodRecord]) -> Update:
    """How one bad release went: from its change of the template until its last Pod has gone."""
    ended = None if release.until is None else closed(pods, release.until)
    lines = record.requests.between(release.since, record.now if ended is None else ended)
    lost = losses.of(lines, [one for one in record.pods if one.belonged_to(record.deployment.uid)])
    ready = any(one.was_ready for one in pods)
    found = Update(release.since, ended, lines.total, lost.count, first=lost.words, ready=ready)
    if not pods:
        return faulty(found, f"no Pod of {release.version} was made")
    if silent(lines, release.since, record.now if ended is None else ended):
        return faulty(found, f"nobody asked for more than {SILENCE:.0f} s of it")
    return found


def best(several: Sequence[Update]) -> Update | None:
    """The newest clean one; where none is, the newest that was seen as a whole, or the newest."""
    for fits in (lambda one: one.clean, lambda one: not one.fault, lambda one: True):
        found = [one for one in several if fits(one)]
        if found:
            return found[-1]
    return None


# Parts


def first_ready(pod: PodRecord) -> float | None:
    """When a Pod was ready for the first time."""
    return next((at for at, ready in pod.ready if ready), None)


def closed(leaving: Sequence[PodRecord], other: float | None) -> float | None:
    """When the last of the leaving Pods had gone, and `other` was over; None while it goes on."""
    gone = [pod.gone for pod in leaving]
    if other is None or None in gone:
        return None
    return max([other, *[at for at in gone if at is not None]]) + AFTER


def answered(requests: Requests, version: str, begin: float, end: float) -> bool:
    """Whether a version has answered a request in a span of time."""
    lines = requests.between(begin, end).lines
    return any(one.ok and one.version == version for one in lines)


def silent(requests: Requests, begin: float, end: float) -> bool:
    """Whether nobody asked for longer than the load ever pauses."""
    reached = begin
    for one in sorted(requests.lines, key=lambda line: line.at):
        if one.at - reached > SILENCE:
            return True
        reached = max(reached, over(one))
    return end - reached > SILENCE


def over(line: Request) -> float:
    """When the last request of a line had its answer."""
    return line.until + line.seconds


def faulty(found: Update, words: str) -> Update:
    """The same update with what is missing in it."""
    return replace(found, fault="not-seen", words=words)
