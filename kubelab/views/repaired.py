"""A Deployment that was given broken and is repaired in place, as a check reads it."""

from __future__ import annotations

from kubelab.errors import EnvironmentFault
from kubelab.objects import containers, dig, full_name, meta, probe_kind, probe_time
from kubelab.seen import Seen
from kubelab.settled import last_run
from kubelab.views.deployments import DeploymentView

# The criterion: a repaired container runs for its probe's time and a little more, at most so long.
ALLOWANCE = 5.0
LONGEST = 60.0


class RepairedView(DeploymentView):
    """One Deployment of the start state; `image` is the one that it was given."""

    @property
    def same(self) -> Seen:
        """Whether it is the object of the start state, not one made anew."""
        given = self._lab.uid_at_start(self.KIND, self.name)
        if given is None and self.body is not None:
            raise EnvironmentFault(
                f"The record of the lab's start does not name Deployment {self.name}.",
                look=f"./lab reset {self._lab.task.lab}",
            )
        return self._seen(
            meta(self.body or {}).get("uid") == given,
            "same object",
            "made-anew",
            given=True,
            show=lambda one: "the given object" if one else "another object of the same name",
        )

    @property
    def keeps_image(self) -> Seen:
        """Whether it still runs the image that it was given, in the same version."""
        found = dig(self._box, "image")
        return self._seen(
            full_name(found or "") == full_name(self._image or ""),
            "image",
            "wrong-image",
            given=True,
            show=lambda _: f"image {self._image}",
            found=f"image {found}",
        )

    @property
    def keeps_liveness(self) -> Seen:
        """Whether its container still has a liveness probe."""
        return self._seen(
            probe_kind(self._box.get("livenessProbe")) is not None,
            "liveness probe",
            "no-liveness-probe",
            given=True,
            show=lambda one: "a liveness probe" if one else "no liveness probe",
        )

    @property
    def proving_time(self) -> float:
        """The seconds for which its containers must run to be believed.

        One that has ended has to run longer than it did before.
        """
        probe = probe_time(self._box.get("livenessProbe") or {})
        runs = [last_run(status) for pod in self._own() for _, status in containers(pod)]
        return min(LONGEST, max(probe, *filter(None, runs), 0.0) + ALLOWANCE)
