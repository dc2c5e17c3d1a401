"""A Deployment whose Pods call a backend, as a check reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kubelab import ask, endpoints, renewal, replacing
from kubelab.objects import Object, dig
from kubelab.seen import Seen
from kubelab.views.ingresses import told_owners
from kubelab.views.members import MembersView
from kubelab.visiting import is_fixed

if TYPE_CHECKING:
    from kubelab.checking import LabView
    from kubelab.views.services import ServiceView

PATIENCE = 10.0
# What the course's image says where no address of a backend, or of a store, is written.
UNSET = "is not set"
# What it says where a backend, or DNS, did not answer in time.
LATE = ("no answer within", "Temporary failure in name resolution")


class CallerView(MembersView):
    """The Pods of a Deployment, each asked for the page that it gets from its backend."""

    def __init__(self, lab: LabView, name: str, image: str, port: int) -> None:
        super().__init__(lab, name, image)
        ready = [one for one in self.bodies if endpoints.is_ready(one)]
        port = self.port(port)
        self.urls = [ask.address(dig(one, "status", "podIP"), port, "/backend") for one in ready]
        self._answers = [asked(lab, one) for one in self.urls]

    @property
    def backend(self) -> Seen:
        """Who answers as its backend, the same for all Pods: the name that the page tells.

        Where that is no Deployment's, somebody gave it another one: the Pod's Deployment counts.
        """
        pages = [one.json for one in self._answers]
        names = [self._called(dig(one, "backend") or {}) for one in pages]
        error = next((one["error"] for one in pages if one.get("error")), None)
        error = error or next((one.error for one in self._answers if one.error), "no answer")
        value = names[0] if names and len(set(names)) == 1 else None
        if value is None and UNSET not in error:
            # Its node may not have heard yet of a backend that has just come, or come back.
            self._lab.unfollowed = True
        return self._seen(
            value,
            "page of",
            lambda _: "backend-not-found",
            show=lambda one: f"/backend gives the page of {one}" if one else f"/backend: {error}",
        )

    @property
    def by_name(self) -> Seen:
        """Whether it calls its backend by a name, as far as its pages tell.

        Where a container beside asks in its place, the trial tells how that one finds it.
        """
        urls = [str(one.json.get("backend_url") or "") for one in self._answers]
        fixed = next((one for one in urls if is_fixed(urlsplit(one).hostname or "")), "")
        return self._seen(
            not fixed,
            "by name",
            "fixed-address",
            given=True,
            show=lambda one: "calls its backend by name" if one else f"calls {fixed}",
        )

    def _called(self, page: Object) -> str | None:
        told: str | None = page.get("name")
        if told is None or told in self._lab.snapshot.kind("Deployment"):
            return told
        return told_owners(self._lab).get(str(page.get("pod")), told)

    def finds_again(self, service: ServiceView) -> Seen:
        """Whether it finds the backend after its Service was deleted and made again."""
        if self.body is None or service.body is None:
            return self._seen(False, "found again", "not-found", given=True)
        lab, trial = self._lab, renewal.Trial(service.name, self.urls)
        return self._proved(
            self.body,
            lambda key: renewal.finds_again(lab.cluster, lab.namespace, trial, key),
            "found again",
            renewal.WANTED,
        )


def asked(lab: LabView, url: str) -> ask.Answer:
    """What a caller answers; asked once more where nothing came in time, on a busy machine."""
    (answer,) = ask.http(lab.cluster, url, timeout=PATIENCE)
    if late(answer):
        (answer,) = ask.http(lab.cluster, url, timeout=PATIENCE)
    if late(answer) or not answer.healthy:
        replacing.blame_a_busy_machine(lab.cluster)
    return answer


def late(answer: ask.Answer) -> bool:
    """Whether something did not answer in time, the caller or what it asked."""
    return answer.reason in replacing.SLOW or any(words in answer.body for words in LATE)
