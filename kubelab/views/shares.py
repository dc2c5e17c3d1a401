"""Which versions stand behind a Service, and how many addresses each has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from kubelab import ask, endpoints
from kubelab.objects import Object, containers, dig, repository
from kubelab.seen import Seen
from kubelab.views.services import ServiceView

if TYPE_CHECKING:
    from kubelab.checking import LabView
    from kubelab.views.deployments import DeploymentView

# The chance that 60 requests all miss one address of four is below 1 in 10^7.
REQUESTS = 60
AT_ONCE = 10
NOTHING = "nothing"


class SharesView(ServiceView):
    """One Service, its ready addresses by the version that answers there."""

    def __init__(self, lab: LabView, name: str, image: str) -> None:
        super().__init__(lab, name)
        self._image = image

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
        """How many ready addresses each version has: what runs there, and what it answers."""
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
        found: tuple[str, ...] = ()
        reason = "no-answer" if endpoints.addresses(self.slices) else "no-endpoints"
        if self.body is not None:
            url = f"http://{self.host}:{port}/"
            answers = ask.http(
                self._lab.cluster, url, timeout=5.0, count=REQUESTS, concurrency=AT_ONCE
            )
            found = tuple(sorted({one.version for one in answers if one.healthy and one.version}))
        return self._seen(
            found,
            "answers",
            "wrong-version" if set(found) - set(wanted) else reason,
            show=lambda one: f"answers from {' and '.join(one) or 'nobody'}",
        )

    def _behind(self) -> list[Object]:
        """The Pods behind its ready addresses that it selects."""
        ready = endpoints.addresses(self.slices)
        several = endpoints.selected(self.body, self._lab.snapshot.kind("Pod").values())
        return [one for one in several if dig(one, "status", "podIP") in ready]

    def _port(self, pod: Object, usual: int) -> int:
        """Where the Service finds a Pod: a port may have one name and many numbers."""
        address = dig(pod, "status", "podIP")
        several = [
            int(port["port"])
            for one in self.slices
            if address in endpoints.addresses([one])
            for port in one.get("ports") or ()
            if port.get("port")
        ]
        return usual if usual in several or not several else several[0]

    def _told(self, pod: Object, port: int) -> str:
        """The version of a Pod, by its image and its answer; both in words where they differ."""
        image = next(
            (
                str(box["image"])
                for box, _ in containers(pod)
                if repository(box.get("image")) == repository(self._image)
            ),
            "another-image:none",
        ).rpartition(":")[2]
        url = ask.address(dig(pod, "status", "podIP"), port)
        (answer,) = ask.http(self._lab.cluster, url, timeout=5.0)
        told = answer.json.get("version")
        return image if told == image else f"image {image} that answers {told or NOTHING}"


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
