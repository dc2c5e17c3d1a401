"""A Job as a tree: its Pods, by index, with what they ended with."""

from __future__ import annotations

import time
from collections.abc import Iterator

from kubelab import history, jobs
from kubelab.api import KINDS
from kubelab.checking import LabView
from kubelab.evidence_rollouts import aligned, shortened
from kubelab.objects import Object, dig, name_of
from kubelab.progress import human
from kubelab.settled import pod_trouble

# Lines of Pods under a Job.
MOST = 6
TTL = "ttl-after-finished-controller"


def chain(lab: LabView, job: Object) -> list[str]:
    """The Job, and its Pods: those that failed first, then the rest."""
    pods = jobs.pods_of(job, lab.snapshot.kind("Pod").values())
    pods.sort(key=lambda one: dig(one, "status", "phase") == "Succeeded")
    told = [(f"Pod {shortened(name_of(one), name_of(job))}", pod_words(one)) for one in pods]
    if len(told) > MOST:
        told = [*told[: MOST - 1], (f"and {len(told) - MOST + 1} more Pods", "")]
    marks = ["├─"] * (len(told) - 1) + ["└─"]
    lines = [aligned(f"Job {name_of(job)}", words(job))]
    lines += [
        aligned(f"{mark} {left}", right) for mark, (left, right) in zip(marks, told, strict=False)
    ]
    return lines


def words(job: Object) -> str:
    """How a Job stands, in a few words."""
    end = jobs.ending(job)
    status = job.get("status") or {}
    counts = [
        f"{status[key]} {key}" for key in ("active", "succeeded", "failed") if status.get(key)
    ]
    if dig(job, "spec", "suspend"):
        counts.insert(0, "suspended")
    if end:
        reason = f": {end.get('reason')}" if end.get("type") == "Failed" else ""
        counts.insert(0, f"{end.get('type')}{reason}")
    return ", ".join(counts) or "no Pods yet"


def pod_words(pod: Object) -> str:
    """How a Pod of a Job stands, with its index and its exit code."""
    run = jobs.run_of(pod)
    index = f"index {run.index}, " if run.index is not None else ""
    if run.code is not None:
        return f"{index}{run.phase}, exit code {run.code}"
    trouble = pod_trouble(pod)
    started = trouble is None or trouble.reason == "not-ready"
    return f"{index}{run.phase if started or trouble is None else trouble.words}"


def gone(lab: LabView, name: str) -> Iterator[str]:
    """What became of a Job that was there: its own setting deleted it."""
    audit = history.audit(lab.cluster, lab.namespace)
    ends = audit.who("delete", KINDS["Job"].plural, name)
    if ends and TTL in ends[-1].user:
        ago = human(time.time() - ends[-1].at)
        yield f"Job `{name}` was there, and ttlSecondsAfterFinished deleted it {ago} ago"
