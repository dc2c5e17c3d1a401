"""A Deployment as a check reads it, with the Pods of its ReplicaSets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kubelab import endpoints, recovery, replacing
from kubelab.objects import (
    Object,
    asked_for,
    condition,
    dig,
    full_name,
    meta,
    name_of,
    repository,
    serving_port,
)
from kubelab.seen import Seen
from kubelab.settled import generation_seen, pod_trouble, replicas_wanted, rolled_out
from kubelab.views.base import View
from kubelab.views.pods import PodView
from kubelab.views.releases import ReleaseView, bad_release, update
from kubelab.writers import is_generated

if TYPE_CHECKING:
    from kubelab.checking import LabView


class DeploymentView(View):
    """One Deployment; `image`, or a container's name, tells which container it is about."""

    KIND = "Deployment"

    def __init__(
        self, lab: LabView, name: str, image: str | None = None, container: str | None = None
    ) -> None:
        super().__init__(lab, name)
        self._image, self._container = image, container
        self._depend_on()

    @property
    def image(self) -> Seen:
        """The image of its container, version included."""
        found = dig(self._box, "image")
        return self._seen(
            full_name(found) if found else None,
            "image",
            "wrong-image",
            given=True,
            show=lambda one: f"image {one}",
        )

    @property
    def desired_replicas(self) -> Seen:
        """How many Pods it asks for."""
        wanted = replicas_wanted(self.body) if self.body is not None else None
        return self._seen(wanted, "replicas", "wrong-replicas", given=True)

    @property
    def available_replicas(self) -> Seen:
        """How many of its Pods are available."""
        return self._seen(
            (dig(self.body, "status", "availableReplicas") or 0) if self._current else 0,
            "available",
            self._trouble("not-available"),
            show=lambda one: f"{one} available",
        )

    def runs(self, image: str) -> Seen:
        """Whether its container runs this image, in whatever version."""
        found = dig(self._box, "image")
        return self._seen(
            repository(found) == repository(image),
            "image",
            "wrong-image",
            given=True,
            show=lambda _: f"image {image}",
            found=f"image {found}",
        )

    @property
    def answering(self) -> Seen:
        """How many of its ready Pods answer with the page."""
        ready = [one for one in self._own() if endpoints.is_ready(one)]
        found = sum(recovery.page(self._lab.cluster, one) for one in ready)
        if found < len(ready):
            replacing.blame_a_busy_machine(self._lab.cluster)
        return self._seen(
            found,
            "Pods that answer",
            "no-answer",
            show=lambda one: f"{one} Pods answer",
        )

    @property
    def paused(self) -> Seen:
        """Whether its rollout is paused."""
        return self._seen(
            bool(dig(self.body, "spec", "paused")),
            "paused",
            "paused",
            given=True,
            show=lambda one: "paused" if one else "not paused",
        )

    @property
    def kept_revisions(self) -> Seen:
        """How many old revisions it keeps to go back to."""
        found = dig(self.body, "spec", "revisionHistoryLimit")
        return self._seen(
            10 if found is None else found, "revisionHistoryLimit", "no-history", given=True
        )

    def serves(self, image: str) -> Seen:
        """Whether every Pod that it asks for runs this image and is available."""
        body = self.body or {}
        wanted, found = replicas_wanted(body), dig(self._box, "image") or "none"
        new, up = (dig(body, "status", f"{key}Replicas") or 0 for key in ("updated", "available"))
        same = full_name(found) == full_name(image)
        held = same and self._current and bool(wanted) and rolled_out(body)
        reason = self._trouble("not-rolled-out") if same else "wrong-version"
        return self._seen(
            held,
            "rollout",
            "wrong-replicas" if same and not wanted else reason,
            show=lambda _: f"image {short(image)}, {wanted}/{wanted} updated, {wanted} available",
            found=f"image {short(found)}, {new}/{wanted} updated, {up} available",
        )

    def update(self, service: str, origin: str, target: str) -> ReleaseView:
        """The update from one image to another, as the record has it."""
        return update(self, service, origin, target)

    def bad_release(self, service: str, image: str) -> ReleaseView:
        """The release of an image that never gets ready, as the record has it."""
        return bad_release(self, service, image)

    def port(self, default: int) -> int:
        """Where its container serves: what its probes ask, else a port that it names."""
        return serving_port(self._box, recovery.PROBES, default)

    @property
    def page_port(self) -> int | None:
        """Where its Pods answer with the page; None where none of them does."""
        ready = (one for one in self._own() if endpoints.is_ready(one))
        name = self._box.get("name")
        several = (recovery.page_port(self._lab.cluster, one, name) for one in ready)
        return next((one for one in several if one), None)

    @property
    def complete(self) -> Seen:
        """Whether all of its Pods are of the newest template and available."""
        body = self.body or {}
        counts = [dig(body, "status", key) or 0 for key in ("updatedReplicas", "availableReplicas")]
        wanted = replicas_wanted(body)
        return self._seen(
            self.body is not None and rolled_out(body),
            "complete",
            "not-ready",
            show=lambda _: f"{wanted} of {wanted} updated, {wanted} available",
            found=f"{counts[0]} of {wanted} updated, {counts[1]} available",
        )

    @property
    def pods(self) -> list[PodView]:
        """Its Pods, the newest first, those that are being deleted left out."""
        several = self._names()
        return [PodView(self._lab, name, self._image, self._container) for name in several]

    @property
    def generated(self) -> Seen:
        """Whether its Pods come from its template: one that it adopted has no successor."""
        strange = next((name_of(one) for one in self._own() if not is_generated(one)), None)
        return self._seen(
            strange is None,
            "Pods of its own",
            "pod-by-hand",
            given=True,
            show=lambda one: (
                "Pods made from its template" if one else f"{strange} was made by hand and adopted"
            ),
        )

    @property
    def replica_sets(self) -> list[Object]:
        """Its ReplicaSets, a revision each."""
        if self.body is None:
            return []
        several = self._lab.snapshot.kind("ReplicaSet").values()
        return [one for one in several if owned(one, self.body)]

    @property
    def _box(self) -> Object:
        boxes: list[Object] = dig(self.body, "spec", "template", "spec", "containers") or []
        return asked_for(boxes, self._image, self._container)

    @property
    def _current(self) -> bool:
        """Whether its controller has seen the newest spec, so that its status counts."""
        return self.body is not None and generation_seen(self.body)

    def _trouble(self, otherwise: str) -> str:
        """The reason that its Pods give for not being there, the one that stays first."""
        if condition(self.body or {}, "ReplicaFailure").get("status") == "True":
            return "not-created"
        troubles = [one for pod in self._own() if (one := pod_trouble(pod))]
        lasting = next((one.reason for one in troubles if one.terminal), None)
        return lasting or (otherwise if not troubles else troubles[0].reason)

    def _own(self) -> list[Object]:
        """Its Pods, the newest first, without those that are on their way out or have ended."""
        if self.body is None:
            return []
        sets = self._lab.snapshot.kind("ReplicaSet").values()
        found = replacing.members(self.body, sets, self._lab.snapshot.kind("Pod").values())
        return sorted(found, key=lambda one: str(meta(one).get("creationTimestamp")))[::-1]

    def _depend_on(self) -> None:
        """Note its ReplicaSets and Pods: its own motion depends on them."""
        for one in self.replica_sets:
            self._lab.look("ReplicaSet", name_of(one))
        for one in self._own():
            self._lab.look("Pod", name_of(one))

    def _names(self) -> Iterator[str]:
        for one in self._own():
            yield name_of(one)


def short(image: str) -> str:
    """An image without the course's own prefix."""
    return full_name(image).removeprefix("kubelab/")


def owned(body: Object, owner: Object) -> bool:
    """Whether an object belongs to another one."""
    owners = meta(body).get("ownerReferences") or ()
    return any(one.get("uid") == meta(owner).get("uid") for one in owners)
