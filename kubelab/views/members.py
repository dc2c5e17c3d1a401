"""The Pods of a Deployment, as a check of a Service reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubelab import endpoints, replacing
from kubelab.objects import Object, dig, meta, name_of, repository
from kubelab.seen import Seen
from kubelab.settled import replicas_wanted
from kubelab.views.base import View

if TYPE_CHECKING:
    from kubelab.checking import LabView


class MembersView(View):
    """The Pods that belong to one Deployment, those that are being deleted left out."""

    KIND = "Deployment"

    def __init__(self, lab: LabView, name: str) -> None:
        super().__init__(lab, name)
        self.pods = self._pods()

    @property
    def uid(self) -> str | None:
        """The Deployment's uid."""
        found: str | None = meta(self.body or {}).get("uid")
        return found

    @property
    def replicas(self) -> Seen:
        """How many Pods the Deployment asks for."""
        wanted = replicas_wanted(self.body) if self.body is not None else None
        return self._seen(wanted, "replicas", "wrong-replicas", given=True)

    @property
    def ready(self) -> Seen:
        """How many of its Pods are ready."""
        found = len([one for one in self.pods if endpoints.is_ready(one)])
        return self._seen(found, "ready", "not-ready", show=lambda one: f"{one} Pods ready")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its Pods."""
        return tuple(name_of(one) for one in self.pods)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses of its ready Pods, in order."""
        found = [dig(one, "status", "podIP") for one in self.pods if endpoints.is_ready(one)]
        return tuple(sorted(one for one in found if one))

    def runs(self, image: str) -> Seen:
        """Whether its container runs this image, in whatever version."""
        found = dig(self.body, "spec", "template", "spec", "containers", 0, "image")
        return self._seen(
            repository(found) == repository(image),
            "image",
            "wrong-image",
            given=True,
            show=lambda _: f"image {image}",
            found=f"image {found}",
        )

    def label(self, key: str) -> Seen:
        """The value of a label that all of its Pods carry."""
        values = {endpoints.labels_of(one).get(key) for one in self.pods}
        value = values.pop() if len(values) == 1 else None
        return self._seen(
            value,
            f"label {key}",
            "wrong-label",
            given=bool(self.pods),
            show=lambda one: f"Pods with label {key}={one}" if one else f"Pods without label {key}",
        )

    def _pods(self) -> list[Object]:
        if self.body is None:
            return []
        sets = self._lab.snapshot.kind("ReplicaSet").values()
        found = replacing.members(self.body, sets, self._lab.snapshot.kind("Pod").values())
        # The Deployment's own motion depends on its ReplicaSets and Pods.
        for one in sets:
            owners = meta(one).get("ownerReferences") or ()
            if any(owner.get("uid") == meta(self.body).get("uid") for owner in owners):
                self._lab.look("ReplicaSet", name_of(one))
        for one in found:
            self._lab.look("Pod", name_of(one))
        return found
