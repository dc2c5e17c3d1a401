"""An Indexed Job whose Pods each add up a shard of numbers, as a check reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubelab import jobs, shards
from kubelab.objects import Object, containers, dig, init_containers, last_change, meta, name_of
from kubelab.seen import Seen
from kubelab.views.base import View
from kubelab.views.jobs import JobView
from kubelab.writers import is_generated

if TYPE_CHECKING:
    from kubelab.checking import LabView

LINES = 500
# On a busy machine a container's last lines are there so many seconds after its end.
LOG_LATE = 10.0
# A minus is one only where nothing stands before it that it may join: `sum=-5`, not `shard-5`.
NUMBER = re.compile(r"(?<![^\s=:])-\d+|\d+")
# What a language prints after a whole number that it keeps as a float.
FRACTION = re.compile(r"(?<=\d)\.0+(?![\d.])")
# A number whose digits stand in groups: `12,345`, `12 345`, `12_345`.
GROUPED = re.compile(r"(?<!\d)\d{1,3}([,' _])\d{3}(?:\1\d{3})*(?!\d)")


class ShardsView(JobView):
    """One Job, and what each of its indexes logged about its shard."""

    def __init__(self, lab: LabView, name: str, count: int) -> None:
        super().__init__(lab, name)
        self.sums = sums(lab, count)

    @property
    def indexed(self) -> Seen:
        """Whether each Pod has a number of its own."""
        return self._seen(
            dig(self.body, "spec", "completionMode") == "Indexed",
            "completion mode",
            "not-indexed",
            given=True,
            show=lambda one: "Indexed" if one else "NonIndexed",
        )

    @property
    def completed(self) -> Seen:
        """How many indexes have completed."""
        value = len(jobs.indexes(dig(self.body, "status", "completedIndexes")))
        trouble = self._trouble()
        return self._seen(
            value,
            "completed indexes",
            trouble,
            final=trouble == "not-created",
            show=lambda one: f"{one} indexes completed",
            found=f"{value} indexes completed{self._end()}",
        )

    @property
    def logged(self) -> Seen:
        """Whether the Pod of each index logged the sum of its shard, and of no other."""
        words = "each index logged its sum"
        wrong, reason = "", "wrong-sum"
        if self.body is not None and not self._known("sums"):
            faults = (self._fault(index) for index in range(len(self.sums)))
            reason, wrong = next((one for one in faults if one[0]), ("", ""))
            if not wrong:
                self._keep("sums", words)
        return self._seen(not wrong, "logs", reason, show=lambda one: words if one else wrong)

    def _fault(self, index: int) -> tuple[str, str]:
        """What is wrong with the log of one index: a reason and words; empty where nothing is."""
        own = [one for one in self.pods if jobs.index_of(one) == index]
        good = [one for one in own if dig(one, "status", "phase") == "Succeeded"]
        if not good:
            return "no-log", f"the Pod of index {index} is gone, and its log with it"
        if not is_generated(good[-1]):
            return "pod-by-hand", f"{name_of(good[-1])} of index {index} was made by hand"
        found = numbers_of(self._logs(good[-1]))
        if self.sums[index] not in found:
            ended = last_change(good[-1]) or 0.0
            self._lab.bear(f"The log of index {index} is told late", ended + LOG_LATE)
            if not found:
                return "no-log", f"index {index} logged no number"
            return "wrong-sum", f"index {index} logged {found[-1]}, which is not its sum"
        others = [one for one in range(len(self.sums)) if one != index]
        strange = next((one for one in others if self.sums[one] in found), None)
        if strange is not None:
            return "wrong-sum", f"index {index} logged the sum of shard {strange}, too"
        if sum(self.sums) in found:
            return "wrong-sum", f"index {index} logged the total of all shards, too"
        return "", ""

    def _logs(self, pod: Object) -> list[str]:
        """The last lines of each container of a Pod."""
        lab = self._lab
        return [
            line
            for box, _ in (*init_containers(pod), *containers(pod))
            for line in lab.cluster.logs(name_of(pod), lab.namespace, box["name"], lines=LINES)
        ]


class TotalView(View):
    """A ConfigMap in which the learner wrote the total of all shards."""

    KIND = "ConfigMap"

    def __init__(self, lab: LabView, name: str, count: int) -> None:
        super().__init__(lab, name)
        self._total = sum(sums(lab, count))

    def agrees(self, key: str) -> Seen:
        """Whether the number under a key is the total."""
        text = str(dig(self.body, "data", key) or "").strip()
        found = numbers_of([text])
        return self._seen(
            found == [self._total],
            key,
            "wrong-total" if text else "no-total",
            given=True,
            show=lambda one: f"{key} of all numbers",
            found=f"{key} {text}"[:60] if text else f"no {key}",
        )


def sums(lab: LabView, count: int) -> list[int]:
    """The sum of each shard of this namespace."""
    uid = str(meta(lab.cluster.get("Namespace", lab.namespace) or {}).get("uid"))
    return [sum(shard) for shard in shards.numbers(uid, count)]


def numbers_of(lines: list[str]) -> list[int]:
    """Every number in some lines, in their order."""
    found: list[int] = []
    for line in lines:
        plain = GROUPED.sub(lambda few: re.sub(r"\D", "", few[0]), FRACTION.sub("", line))
        found += map(int, NUMBER.findall(plain))
    return found
