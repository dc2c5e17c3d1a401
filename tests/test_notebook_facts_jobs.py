"""The facts of predictions about a Job: their names are the schema's."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import runs
from fakes import FakeCluster

from kubelab import labs
from kubelab import notebook_facts as facts_of
from kubelab.objects import Object
from kubelab.site import ROOT, Site

NAMES = frozenset(json.loads(labs.SCHEMA.read_text())["$defs"]["job"]["properties"])


@pytest.fixture
def asked(tmp_path: Path) -> facts_of.Asked:
    cluster = FakeCluster(Site(root=tmp_path), namespace="lab-06")
    for one in runs.two_rounds():
        cluster.put("Pod", one, "lab-06")
    return facts_of.Asked(cluster, labs.find(ROOT, "06"), "pi", NAMES)  # type: ignore[arg-type]


def ended(job: Object, after: float) -> Object:
    job["status"] |= {"startTime": runs.at(0), "completionTime": runs.at(after)}
    return job


def test_a_jobs_facts_are_exactly_those_of_the_schema(asked: facts_of.Asked) -> None:
    body = ended(runs.job(ended="Complete", reason="CompletionsReached"), 16)
    body["status"]["succeeded"] = 6
    assert facts_of.READERS["Job"](asked, body) == {
        "ended": "Complete",
        "end_reason": "CompletionsReached",
        "pods": 6,
        "active": 0,
        "succeeded": 6,
        "failed": 0,
        "most_at_once": 3,
        "seconds": 16,
        "suspended": False,
    }


def test_what_goes_on_has_no_end_yet(asked: facts_of.Asked) -> None:
    asked = dataclasses.replace(asked, wanted=frozenset(("ended", "seconds")))
    assert facts_of.READERS["Job"](asked, runs.job()) == {"ended": None, "seconds": None}
    assert facts_of.READERS["Job"](asked, None) is None


def test_a_failed_job_ended_when_it_failed(asked: facts_of.Asked) -> None:
    body = runs.job(ended="Failed", reason="BackoffLimitExceeded")
    body["status"]["startTime"] = runs.at(0)
    body["status"]["conditions"][0]["lastTransitionTime"] = runs.at(12)
    facts = facts_of.READERS["Job"](asked, body)
    assert facts is not None
    assert (facts["ended"], facts["seconds"]) == ("Failed", 12)
