"""Lab 04 on the real cluster: the words of its failures, and five runs with one verdict."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from answers import Place, bank, place

from kubelab import answers, labs
from kubelab.site import ROOT, Site
from kubelab.snapshot import COPY_LABEL

LAB = labs.find(ROOT, "04")
ANSWERS = {answer.name: answer for answer in bank(LAB)}
RUNS = 5

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def started(
    kind_cluster: Any, site: Site, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Place]:
    # A name of its own: the namespace of the test before may still be on its way out.
    name = f"t{abs(hash(request.node.nodeid)) % 10**5}"
    with place(site, LAB, name, tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def solved(
    kind_cluster: Any, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    with place(site, LAB, "solved4", tmp_path_factory.mktemp("solved")) as found:
        answers.apply(answers.solution(LAB), found.kubeconfig)
        yield found


def given(place: Place, name: str) -> None:
    answers.apply([ANSWERS[name].file], place.kubeconfig)


def test_the_untouched_start_fails_every_task_at_once(started: Place) -> None:
    found = {task: started.check(task) for task in LAB.tasks}
    assert {task: (code, one["reason"]) for task, (code, one) in found.items()} == dict.fromkeys(
        LAB.tasks, (1, "not-found")
    )


@pytest.mark.parametrize("task", list(LAB.tasks))
def test_five_runs_have_one_verdict(solved: Place, task: str) -> None:
    found = [solved.check(task) for _ in range(RUNS)]
    assert [(code, one["verdict"]) for code, one in found] == [(0, "pass")] * RUNS


def test_the_tasks_hold_at_once_and_leave_no_copy(solved: Place) -> None:
    done = solved.command("04")
    assert done.returncode == 0, done.stdout
    assert solved.kubectl("get", "pods", "-l", COPY_LABEL, "-o", "name") == ""


def test_what_was_proved_once_stays_when_the_next_release_comes(solved: Place) -> None:
    assert solved.check("04.2")[0] == 0
    solved.kubectl("set", "image", "deployment/nginx-deployment", "web=kubelab/web:3.0")
    try:
        assert solved.check("04.2")[0] == 0
        code, found = solved.check("04.3")
        assert (code, found["reason"]) in {(1, "wrong-version"), (3, "wrong-version")}
    finally:
        solved.kubectl("rollout", "undo", "deployment/nginx-deployment")
        solved.kubectl("rollout", "status", "deployment/nginx-deployment", "--timeout=90s")


STILL_BAD = """\
04.3  not done                                                     0 of 3 points
The bad release is undone: every request gets 2.0 and the rollout is complete.

  wanted   deployment/nginx-deployment   image web:2.0, 4/4 updated, 4 available
  found    deployment/nginx-deployment   image web:3.0, 2/4 updated, 3 available

  Deployment nginx-deployment        revision 3, """


def test_a_bad_release_is_told_word_by_word(started: Place) -> None:
    given(started, "wrong-still-bad")
    text = started.command("04.3").stdout
    assert text.startswith(STILL_BAD)
    assert " (3.0) 2 Pods, 0 ready\n" in " ".join(text.split(" ")).replace("  ", " ")
    assert "readiness probe: HTTP 503\n" in text
    assert " (2.0) 3 Pods, 3 ready\n" in text.replace("  ", " ")
    assert "s ago  Unhealthy " in text
    assert "It never goes back by itself.\n" in " ".join(text.split(" "))
    assert text.endswith(
        f"  look     kubectl -n {started.namespace} rollout history deployment/nginx-deployment\n"
    )
    assert max(map(len, text.splitlines())) <= 80


def test_a_step_that_was_not_seen_is_told_with_its_command(started: Place) -> None:
    given(started, "wrong-never-tried")
    code, found = started.check("04.3")
    assert (code, found["reason"]) == (1, "not-seen")
    assert found["found"] == "deployment/nginx-deployment   release 3.0: not on record"
    assert found["look"] == (
        f"kubectl -n {started.namespace} set image deployment/nginx-deployment '*=kubelab/web:3.0'"
    )


def test_the_learners_pods_are_left_alone_by_the_copies(started: Place) -> None:
    given(started, "wrong-no-drain")
    before = pods(started)
    code, found = started.check("04.2")
    assert (code, found["reason"]) == (1, "no-drain")
    # The second, where the copy had gone before it was first asked.
    said = r"a deleted copy (refuses a new request after|answers no new request for) [\d.]+ s"
    assert re.search(said, found["found"])
    assert pods(started) == before


def pods(place: Place) -> dict[str, int]:
    found = json.loads(place.kubectl("get", "pods", "-l", "app=nginx", "-o", "json"))["items"]
    return {
        one["metadata"]["uid"]: one["status"]["containerStatuses"][0]["restartCount"]
        for one in found
        if "deletionTimestamp" not in one["metadata"]
    }
