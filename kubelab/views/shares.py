"""Which versions stand behind a Service, and how many addresses each has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from kubelab import ask, endpoints, replacing
from kubelab.api import Cluster
from kubelab.objects import Object, asked_for, containers, dig, repository
from kubelab.seen import Seen
from kubelab.views.services import ServiceView

if TYPE_CHECKING:
    from kubelab.checking import LabView
    from kubelab.views.deployments import DeploymentView

# The chance that 60 requests all miss one address of four is below 1 in 10^7.
REQUESTS = 60
AT_ONCE = 10
NOTHING = "nothing"
# What a busy machine explains.
LATE = (*replacing.SLOW, "name")


class SharesView(ServiceView):
    """One Service, its ready addresses by the version that answers there."""

    def __init__(self, lab: LabView, name: str, image: str) -> None:
        super().__init__(lab, name)
        self._image = image
        self._answers: dict[int, list[ask.Answer]] = {}

    @property
    def affinity(self) -> Seen:
        """Whether a client stays with the first address it met."""
        return self._seen(
            dig(self.body, "spec", "sessionAffinity") or "None",
            "sessionAffinity",
            "session-affinity",
            given=True,
        )

    def versions(self, port: int) -> Seen:
        """How many ready addresses each version has: what runs there, and what it answers.

        `port` is the Service's own.
        """
        behind = self._behind() if self.body else []
        found = Counter(self._told(one, self._port(one, port)) for one in behind)
        return self._seen(
            dict(found),
            "addresses",
            fault(found),
            show=words,
        )

    def includes(self, canary: DeploymentView) -> Seen:
        """Whether a ready Pod of the Deployment is among its addresses."""
        ready = [one.ip for one in canary.pods if one.is_ready]
        words = f"{canary.name} among the addresses"
        return self._seen(
            bool(set(ready) & set(endpoints.addresses(self.slices))),
            "canary",
            "missing-endpoints",
            show=lambda one: words if one else f"no Pod of {canary.name} among the addresses",
        )

    def answering(self, port: int, wanted: tuple[str, ...]) -> Seen:
        """The versions that answer requests to its name, each on a new connection.

        `wanted` are those that should: whoever else answers is what is wrong.
        """
        reason = "no-answer" if endpoints.addresses(self.slices) else "no-endpoints"
        good = [one for one in self._asked(port) if replacing.good(one)]
        found = tuple(sorted({one.version for one in good if one.version}))
        return self._seen(
            found,
            "answers",
            "wrong-version" if set(found) - set(wanted) else reason,
            show=lambda one: f"answers from {' and '.join(one) or 'nobody'}",
        )

    def lost(self, port: int) -> Seen:
        """How many of the requests no page answered."""
        answers = self._asked(port)
        bad = [one for one in answers if not replacing.good(one)]
        error = next((one.error or f"HTTP {one.status} of another server" for one in bad), "")
        count = f"{len(bad)} of {len(answers)} requests without the page"
        return self._seen(
            len(bad),
            "requests without the page",
            "wrong-backend" if any(one.healthy for one in bad) else "no-answer",
            show=lambda one: (
                "no request without the page" if not one else f"{count}, the first: {error}"
            ),
        )

    def _asked(self, port: int) -> list[ask.Answer]:
        """The answers to many requests to its name; what was late on a busy machine asked again."""
        if self.body is None:
            return []
        if port not in self._answers:
            url = f"http://{self.host}:{port}/"
            found = asked(self._lab.cluster, url, REQUESTS, 5.0)
            if any(one.reason in LATE for one in found):
                # All of them: a few may miss the one address behind which nobody answers.
                found = asked(self._lab.cluster, url, REQUESTS, replacing.PATIENCE)
                if any(one.reason in LATE for one in found):
                    replacing.blame_a_busy_machine(self._lab.cluster)
            self._answers[port] = found
            self._lab.unfollowed |= self._is_late(port, found)
        return self._answers[port]

    def _is_late(self, port: int, found: list[ask.Answer]) -> bool:
        """Whether others answer than the pages behind it: requests may follow later."""
        source = self._lab.snapshot.get
        behind = {endpoints.called(one, source): one for one in self._behind()}
        heard = {one.pod for one in found if replacing.good(one) and one.pod}
        silent = [one for name, one in behind.items() if name not in heard]
        if not heard - set(behind) and not silent:
            return False
        for one in silent:
            # One that is no page when it is asked itself is silent for no way's sake.
            url = ask.address(dig(one, "status", "podIP"), self._port(one, port))
            if not replacing.good(ask.http(self._lab.cluster, url, timeout=5.0)[0]):
                return False
        return not replacing.refuse(self._lab.cluster, self.slices)

    def _behind(self) -> list[Object]:
        """The Pods behind its ready addresses that it selects."""
        ready = endpoints.addresses(self.slices)
        several = endpoints.selected(self.body, self._lab.snapshot.kind("Pod").values())
        return [one for one in several if dig(one, "status", "podIP") in ready]

    def _port(self, pod: Object, number: int) -> int:
        """Where the Service's port finds a Pod: it may have one name and many numbers."""
        address = dig(pod, "status", "podIP")
        name = (endpoints.port_of(self.body, number) or {}).get("name")
        several = {
            port.get("name") or "": int(port["port"])
            for one in self.slices
            if address in endpoints.addresses([one])
            for port in one.get("ports") or ()
            if port.get("port")
        }
        return several.get(name or "", next(iter(several.values()), number))

    def _told(self, pod: Object, port: int) -> str:
        """The version of a Pod, by its image and its answer; both in words where they differ."""
        boxes = [box for box, _ in containers(pod)]
        same = [one for one in boxes if repository(one.get("image")) == repository(self._image)]
        image = str(asked_for(same, self._image).get("image", "none")).rpartition(":")[2]
        url = ask.address(dig(pod, "status", "podIP"), port)
        (answer,) = ask.http(self._lab.cluster, url, timeout=5.0)
        if answer.reason in LATE:
            (answer,) = ask.http(self._lab.cluster, url, timeout=replacing.PATIENCE)
        if answer.reason in LATE:
            replacing.blame_a_busy_machine(self._lab.cluster)
        told = answer.json.get("version")
        return image if told == image else f"image {image} that answers {told or NOTHING}"


def asked(cluster: Cluster, url: str, count: int, timeout: float) -> list[ask.Answer]:
    """Answers to so many requests, each on a new connection."""
    return ask.http(cluster, url, timeout=timeout, count=count, concurrency=AT_ONCE)


def fault(told: Collection[str]) -> str:
    """What is wrong with versions as `_told` has them: those with a blank are in words."""
    odd = [one for one in told if " " in one]
    if any(one.endswith(f" {NOTHING}") for one in odd):
        return "no-answer"
    if odd:
        return "wrong-version"
    return "wrong-share" if told else "no-endpoints"


def words(several: Mapping[str, int] | None) -> str:
    """Addresses by version, in words."""
    parts = [f"{count} of {version}" for version, count in sorted((several or {}).items())]
    return f"ready addresses: {', '.join(parts) or 'none'}"
