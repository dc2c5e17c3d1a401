"""A Job as a tree of its Pods."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import runs
from fakes import COURSE, FakeCluster
from runs import NAMESPACE

from kubelab import evidence_jobs, labs
from kubelab.checking import LabView
from kubelab.objects import Object
from kubelab.site import Site
from kubelab.snapshot import Snapshot

LAB = labs.find(COURSE, "90")


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(Site())


@pytest.fixture
def view(cluster: FakeCluster) -> Iterator[LabView]:
    snapshot = Snapshot(cluster, NAMESPACE)  # type: ignore[arg-type]
    yield LabView(cluster, LAB, LAB.task("90.1"), snapshot)  # type: ignore[arg-type]
    snapshot.close()


def test_what_failed_stands_first_and_many_pods_are_counted(
    cluster: FakeCluster, view: LabView
) -> None:
    pods = [runs.pod(f"pi-{number}", 0, 1, 6, index=number) for number in range(7)]
    pods.append(runs.pod("pi-x", 0, 1, 2, 4, index=7))
    for one in pods:
        cluster.put("Pod", one, NAMESPACE)
    lines = evidence_jobs.chain(view, runs.job(status={"succeeded": 7, "failed": 1}))
    assert lines[0].split() == ["Job", "pi", "7", "succeeded,", "1", "failed"]
    assert lines[1].endswith("index 7, Failed, exit code 4")
    assert lines[-1] == "└─ and 3 more Pods"
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (runs.job(), "no Pods yet"),
        (runs.job(suspend=True), "suspended"),
        (runs.job(status={"active": 3}), "3 active"),
        (runs.job(ended="Complete", status={"succeeded": 6}), "Complete, 6 succeeded"),
    ],
)
def test_a_job_stands_in_a_few_words(job: Object, words: str) -> None:
    assert evidence_jobs.words(job) == words


def test_a_pod_that_has_not_ended_says_what_it_waits_for() -> None:
    assert evidence_jobs.pod_words(runs.pod("pi-a", 0, 1)) == "Running"
    waits = runs.pod("pi-a", 0)
    waits["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ErrImagePull"}}
    assert evidence_jobs.pod_words(waits) == "ErrImagePull"
