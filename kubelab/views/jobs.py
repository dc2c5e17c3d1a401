"""A Job as a check reads it."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING

from kubelab import acting, history, jobs, trying
from kubelab.errors import EnvironmentFault
from kubelab.history import PodRecord
from kubelab.jobs import Run
from kubelab.objects import Object, dig, meta, name_of
from kubelab.proofs import Proof, outcome
from kubelab.seen import Seen
from kubelab.settled import pod_trouble, unclaimed
from kubelab.views.base import View

if TYPE_CHECKING:
    from kubelab.checking import LabView

# A Job that is kept for less than this after its end is gone before anybody looks.
KEPT = 3600
# Times are whole seconds, and a container is told to have started a moment after it has.
CUT = 1.0
# A node that takes longer to start a Pod is busy. Runs of lab 06 that are long enough overlap
# where none takes so long; shorter ones may not, and that is not the machine's fault.
SLOW_START = 4.0
# Why there are fewer Pods than a Job asks for, which is no fault of its number.
NO_MORE = ("job-failed", "not-created")


class JobView(View):
    """One Job, and the Pods that it made."""

    KIND = "Job"

    def __init__(self, lab: LabView, name: str) -> None:
        super().__init__(lab, name)
        self.pods = jobs.pods_of(self.body, lab.snapshot.kind("Pod").values())
        for one in self.pods:
            # What has ended does not move any more.
            if not jobs.has_ended(one):
                lab.look("Pod", name_of(one))

    @property
    def completions(self) -> Seen:
        """How many Pods have to succeed."""
        return self._seen(
            dig(self.body, "spec", "completions"), "completions", "wrong-completions", given=True
        )

    @property
    def kept(self) -> Seen:
        """Whether the Job stays after its end, for an hour at least."""
        return kept(self, dig(self.body, "spec"), KEPT)

    @property
    def suspended(self) -> Seen:
        """Whether the Job makes no Pods: it is told to wait, or no Pod may be at work."""
        why = jobs.paused(dig(self.body, "spec"))
        if jobs.ending(self.body) and not dig(self.body, "spec", "suspend"):
            # What has ended is at work no more, however many it would let.
            why = ""
        return self._seen(
            bool(why),
            "suspend",
            "suspended",
            given=True,
            show=lambda one: "suspended" if one else "not suspended",
            found=why or None,
        )

    @property
    def succeeded(self) -> Seen:
        """How many Pods have succeeded."""
        value, trouble = dig(self.body, "status", "succeeded") or 0, self._trouble()
        return self._seen(
            value,
            "succeeded",
            trouble,
            final=trouble == "not-created",
            show=lambda one: f"{one} succeeded",
            found=f"{value} succeeded{self._end()}",
        )

    def ran_at_once(self, number: int) -> Seen:
        """Whether so many Pods were at work at one moment, and never more.

        Raises EnvironmentFault where a quota or a node kept them from it, or nobody knows.
        """
        words = f"{number} Pods at a time"
        if self.body is None or self._known("at-once"):
            return self._seen(True, words, "not-found", show=lambda _: words)
        runs = self._runs()
        asked = dig(self.body, "spec", "parallelism")
        asked = 1 if asked is None else asked
        most = self._most(number, asked, runs)
        complete = jobs.ending(self.body).get("type") == "Complete"
        if complete and len(self._records) > (dig(self.body, "status", "succeeded") or 0):
            # A Pod that was deleted at work leaves no trace in the Job's status.
            most = max(most, jobs.seen_at_once(self._records))
        if complete and most <= number:
            worked = jobs.may_have_worked_at_once(runs)
            if worked < most and self._not_placed():
                # A Pod that no node takes is there, and not at work: the Job itself asks for that.
                most = worked
            self._blame(number, most, runs)
            if most == number:
                self._keep("at-once", words)
        too_few = asked < number
        if most < number and not too_few and self._trouble() in NO_MORE:
            # Pods that fail make room for others, those that are refused never come: that there
            # were few is no fault of its own.
            return self._seen(True, words, "not-found", show=lambda _: words)
        return self._seen(
            most == number,
            "at a time",
            "too-many-at-once" if most > number else "too-few-at-once",
            given=most < number and too_few,
            final=most > number,
            show=lambda _: words,
            found=f"{most} at a time" if most <= number else f"{most} Pods at one time",
        )

    def lasted(self, least: float) -> Seen:
        """Whether each run that succeeded took its time.

        Raises EnvironmentFault where a machine that has too much to do may have told it wrong.
        """
        words = f"runs of {least:g} s"
        if self.body is None or self._known("lasted"):
            return self._seen(True, words, "not-found", show=lambda _: words)
        took = [
            # The recorder may have seen the start late, and the end is believed to be early.
            one.seconds + (CUT + jobs.LATE if one.phase == "gone" else 0.0)
            for one in self._runs()
            if one.seconds is not None and (one.code == 0 or one.phase == "gone")
        ]
        took.sort()
        shortest = took[0] if took else None
        # The cut may tell some runs a second short, on a busy machine many, and hardly ever all.
        long_enough = bool(took) and took[0] >= least - CUT and took[-2:][0] >= least
        if long_enough and jobs.ending(self.body).get("type") == "Complete":
            self._keep("lasted", words)
        if not long_enough and self._mistimed(shortest, least):
            raise EnvironmentFault(
                f"A node was too busy to time the runs of Job {self.name}. "
                "It costs you nothing: delete the Job and make it again.",
                look="./lab doctor",
            )
        return self._seen(
            long_enough,
            "runs",
            "short-run",
            final=shortest is not None,
            show=lambda _: words,
            found="no run" if shortest is None else f"a run of {shortest:.0f} s",
        )

    def _end(self) -> str:
        """Why no more of it is done, where the Job has failed."""
        failed = jobs.failed(self.body)
        return f", Failed: {failed.get('reason')}" if failed else ""

    def _runs(self) -> list[Run]:
        """When each of its Pods worked, those that are gone as the recorder saw them."""
        found = [jobs.run_of(one) for one in self.pods]
        status = dig(self.body, "status") or {}
        counted = sum(status.get(key) or 0 for key in ("succeeded", "failed", "active"))
        if len(found) < counted:
            # Never else: the record is newer than the Pods that were read, and may know one more.
            there = {one.pod for one in found}
            found += [jobs.remembered(one) for one in self._records if one.name not in there]
        return found

    @cached_property
    def _records(self) -> list[PodRecord]:
        """All of its Pods, as the recorder saw them."""
        lab, uid = self._lab, str(meta(self.body or {}).get("uid"))
        records = history.pods_by_now(lab.cluster, lab.namespace)
        return [one for one in records if one.belonged_to(uid)]

    def _most(self, number: int, asked: int, runs: list[Run]) -> int:
        """The most Pods at one moment, without those that may have been at their end already.

        Raises EnvironmentFault where the record leaves open whether there were `number`.
        """
        most, sure = jobs.pods_at_once(runs), jobs.surely_at_once(runs)
        # A Job that asks for more at a time has more.
        if asked > number or not sure <= number < most:
            return most
        if sure < number == asked:
            raise EnvironmentFault(
                f"The course's recorder did not see every Pod of Job {self.name} at work. "
                "It costs you nothing: delete the Job and make it again.",
                look="./lab doctor",
            )
        return sure

    def _mistimed(self, shortest: float | None, least: float) -> bool:
        """Whether runs that look too short may have been long enough.

        Where containers take long to start, their starts are told late. Where no run was seen
        that is over and gone, the record has a gap.
        """
        if shortest is None:
            return jobs.ending(self.body).get("type") == "Complete"
        late = any(one.waited >= SLOW_START for one in self._runs())
        return late and shortest >= least - 2 * CUT

    def _blame(self, number: int, most: int, runs: list[Run]) -> None:
        """Raise EnvironmentFault where fewer Pods worked at once than the Job asks for."""
        asked = dig(self.body, "spec", "parallelism") or 1
        if asked >= number > most and (why := failed_to_create(self._lab, self.body)):
            raise EnvironmentFault(
                f"Job {self.name} was kept from making {number} Pods at a time: {why} "
                "Delete it and make it again.",
                look=f"kubectl -n {self._lab.namespace} describe quota",
            )
        late = any(one.started and one.started - one.created >= SLOW_START for one in runs)
        if late and most == number and jobs.may_have_worked_at_once(runs) < number:
            raise EnvironmentFault(
                f"A node started the Pods of Job {self.name} one after the other: it had too much "
                "to do. It costs you nothing: delete the Job and make it again.",
                look="./lab doctor",
            )

    def _not_placed(self) -> bool:
        """Whether the scheduler found no node for one of its Pods at first."""
        own = {meta(one).get("uid") for one in self.pods}
        events = self._lab.cluster.objects(
            "Event", self._lab.namespace, fields="reason=FailedScheduling"
        )
        return any(dig(one, "involvedObject", "uid") in own for one in events)

    def _trouble(self) -> str:
        """The reason id for a Job that is not done."""
        if jobs.failed(self.body):
            return "job-failed"
        for one in self.pods:
            trouble = unclaimed(one, time.time()) or pod_trouble(one)
            trouble = None if jobs.has_ended(one) else trouble
            if trouble is not None and trouble.reason != "not-ready":
                return trouble.reason
        if self.body and jobs.is_hopeless(self.body):
            return "job-failed"
        return "not-created" if self._refusal else "not-complete"

    @cached_property
    def _refusal(self) -> str:
        """Why the API server takes none of its Pods; asked once a look."""
        return refused(self._lab, self.body, self.pods)

    def _known(self, what: str) -> Proof | None:
        """What was shown for this Job once, while its Pods were there."""
        return self._lab.snapshot.proofs.find(self._key(what))

    def _keep(self, what: str, wanted: str) -> None:
        """Keep what its Pods show now: they may go, the Job's history does not change."""
        self._lab.snapshot.proofs.keep(outcome(self._key(what), wanted))

    def _key(self, what: str) -> str:
        body: Object = self.body or {}
        return acting.key(self._lab.task.id, body, spec=False, what=what)


def failed_to_create(lab: LabView, job: Object | None) -> str:
    """Why a try to create a Pod of a Job failed; empty where none did."""
    fields = f"involvedObject.uid={meta(job or {}).get('uid')},reason=FailedCreate"
    events = lab.cluster.objects("Event", lab.namespace, fields=fields)
    return next((str(one.get("message")) for one in events), "")


def refused(lab: LabView, job: Object | None, pods: list[Object]) -> str:
    """Why the API server takes no Pod of a Job, where that lasts; empty where it may take one."""
    status = dig(job, "status") or {}
    counted = sum(status.get(key) or 0 for key in ("succeeded", "failed", "active"))
    if job is None or pods or counted or jobs.ending(job) or not failed_to_create(lab, job):
        return ""
    # An Event tells of one try; whether that lasts the API server says now.
    return trying.not_created(lab.cluster, lab.namespace, name_of(job), job["spec"]["template"])


def kept(view: View, spec: Object | None, least: int) -> Seen:
    """Whether a Job with this spec stays for so many seconds after its end."""
    after = dig(spec, "ttlSecondsAfterFinished")
    return view._seen(
        after is None or after >= least,
        "kept",
        "not-kept",
        given=True,
        show=lambda one: "kept" if one else f"deleted {after} s after its end",
    )
