"""The Pods of a Deployment, as a check of a Service reads them."""

from __future__ import annotations

from collections.abc import Mapping

from kubelab import endpoints
from kubelab.objects import Object, dig, meta, name_of
from kubelab.seen import Seen
from kubelab.views.deployments import DeploymentView

# What a Deployment adds to the labels of a template.
HASH = "pod-template-hash"


class MembersView(DeploymentView):
    """A Deployment by its Pods, those that are being deleted left out."""

    @property
    def bodies(self) -> list[Object]:
        """Its Pods as the cluster has them, by name."""
        return sorted(self._own(), key=name_of)

    @property
    def uid(self) -> str | None:
        """The Deployment's uid."""
        found: str | None = meta(self.body or {}).get("uid")
        return found

    @property
    def ready(self) -> Seen:
        """How many of its Pods are ready."""
        found = len([one for one in self.bodies if endpoints.is_ready(one)])
        return self._seen(found, "ready", "not-ready", show=lambda one: f"{one} Pods ready")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its Pods."""
        return tuple(name_of(one) for one in self.bodies)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses of its ready Pods, in order."""
        found = [dig(one, "status", "podIP") for one in self.bodies if endpoints.is_ready(one)]
        return tuple(sorted(one for one in found if one))

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels that each new Pod of it gets: its template's, and its newest ReplicaSet's."""
        body = next(iter(self._own()), {})
        found = endpoints.labels_of(dig(self.body, "spec", "template") or {})
        return {
            key: value
            for key, value in endpoints.labels_of(body).items()
            if key in found or key == HASH
        }

    def label(self, key: str) -> Seen:
        """The value of a label that all of its Pods carry."""
        values = {endpoints.labels_of(one).get(key) for one in self.bodies}
        value = values.pop() if len(values) == 1 else None
        return self._seen(
            value,
            f"label {key}",
            "wrong-label",
            given=bool(self.bodies),
            show=lambda one: f"Pods with label {key}={one}" if one else f"Pods without label {key}",
        )
