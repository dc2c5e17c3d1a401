"""A CronJob as a check reads it."""

from __future__ import annotations

from kubelab import jobs, schedule, trying
from kubelab.objects import Object, dig, meta
from kubelab.seen import Seen
from kubelab.views.base import View
from kubelab.views.jobs import kept

# What the API server fills in.
POLICY, HISTORY = "Allow", 3
# A run that may begin only within fewer seconds may never begin: the controller looks every ten
# (kubernetes.io, CronJob, "Deadline for delayed Job start").
SOON = 10
# Two successes are there only where each is kept for as long as two runs take to begin.
KEPT = 120


class CronJobView(View):
    """One CronJob; whether it is suspended plays no part."""

    KIND = "CronJob"

    @property
    def every_minute(self) -> Seen:
        """Whether its schedule begins a run in each minute, however that is written."""
        text = str(dig(self.body, "spec", "schedule") or "")
        late = dig(self.body, "spec", "startingDeadlineSeconds")
        right = schedule.every_minute(text)
        in_time = late is None or late >= SOON
        found = f"startingDeadlineSeconds {late}" if right else f"schedule {text}"
        return self._seen(
            right and in_time,
            "schedule",
            "wrong-schedule",
            given=True,
            show=lambda _: "every minute",
            found="every minute" if right and in_time else found,
        )

    @property
    def policy(self) -> Seen:
        """What happens where the run before still goes on."""
        return self._seen(
            dig(self.body, "spec", "concurrencyPolicy") or POLICY,
            "concurrencyPolicy",
            "runs-overlap",
            given=True,
        )

    @property
    def kept_successes(self) -> Seen:
        """How many Jobs that succeeded are kept."""
        found = dig(self.body, "spec", "successfulJobsHistoryLimit")
        return self._seen(
            HISTORY if found is None else found, "successes kept", "wrong-history", given=True
        )

    @property
    def kept(self) -> Seen:
        """Whether the Jobs that it makes stay until the history drops them."""
        return kept(self, dig(self.body, "spec", "jobTemplate", "spec"), KEPT)

    @property
    def run_succeeds(self) -> Seen:
        """Whether a run that the course makes from the template comes to a good end."""
        template = dig(self.body, "spec", "jobTemplate", "spec")
        if self.body is None or template is None:
            return self._seen(False, "run", "not-found")
        if why := jobs.paused(template):
            words = "the template makes Jobs that are suspended"
            words = words if why == "suspended" else "the template makes Jobs of parallelism 0"
            return self._seen(
                False, "run", "suspended", given=True,
                show=lambda one: "a run that the course makes succeeds" if one else words,
            )  # fmt: skip
        lab, name = self._lab, self.name
        # Asked each time: a LimitRange or a ServiceAccount may change, and the template stay.
        why = trying.not_created(lab.cluster, lab.namespace, name, template["template"])
        if why:
            return self._seen(
                False, "run", "not-created", final=True,
                show=lambda one: (
                    "a run that the course makes succeeds" if one
                    else f"no Pod of a run can be created: {why}"
                ),
                look=f"kubectl -n {lab.namespace} describe limitrange,quota,serviceaccount",
            )  # fmt: skip
        # The template alone counts: a schedule that is suspended later proves nothing anew.
        tried: Object = {
            "kind": self.KIND,
            "metadata": {"name": name, "uid": meta(self.body).get("uid", "")},
            "spec": template,
        }
        return self._proved(
            tried,
            lambda key: trying.run_succeeds(lab.cluster, lab.namespace, name, template, key),
            "run",
        )
