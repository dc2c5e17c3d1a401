"""A Deployment that keeps its Pods, as a check reads it."""

from __future__ import annotations

from kubelab import endpoints, recovery
from kubelab.seen import Seen
from kubelab.views.members import MembersView


class KeptView(MembersView):
    """The Pods of a Deployment: ready, answering, and brought back."""

    @property
    def ready(self) -> Seen:
        """How many of its Pods are ready."""
        found = len([one for one in self.bodies if endpoints.is_ready(one)])
        nobody = bool(self.paused.value) and not self.bodies
        return self._seen(
            found,
            "ready Pods",
            "paused" if nobody else self._trouble("not-ready"),
            show=lambda one: f"{one} ready",
        )

    @property
    def comes_back(self) -> Seen:
        """Whether a deleted Pod is replaced by one that answers."""
        lab = self._lab
        return self._proved(
            self.body,
            lambda key: recovery.comes_back(lab.cluster, lab.namespace, self.name, key),
            "replaced",
            recovery.WANTED,
        )
