"""Lab 00 on the real cluster: what a failure says, five runs one verdict, nothing left behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from answers import Place, joined, place

from kubelab import answers as given
from kubelab import labs
from kubelab.site import ROOT, Site
from kubelab.snapshot import COPY_LABEL

LAB = labs.find(ROOT, "00")
BANK = {one.name: one.file for one in given.every(LAB.bank)}

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def started(
    kind_cluster: object, site: Site, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Place]:
    """Lab 00, started in a namespace of the test's own, its redis ready."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**8}"
    with place(site, LAB, name, tmp_path) as found:
        found.kubectl("rollout", "status", "deployment/redis", "--timeout=90s")
        yield found


def test_the_untouched_start_is_told_in_words(started: Place) -> None:
    text = started.command("00.1").stdout
    assert text.startswith(
        "00.1  not done                                                     0 of 3"
    )
    assert f"wanted deployment/web in namespace {started.namespace}" in joined(text)
    assert "found deployment/web not there" in joined(text)
    assert max(map(len, text.splitlines())) <= 80


def test_bare_pods_are_answered_with_what_the_task_asks(started: Place) -> None:
    given.apply([BANK["wrong-bare-pod-of-that-name"]], started.kubeconfig)
    _, (found,) = started.records("00.1")
    assert found["near"] == [f"{started.namespace} has Pod `web`, not a Deployment"]


def test_a_counter_in_each_pod_is_told_by_its_counts(started: Place) -> None:
    given.apply([BANK["wrong-counter-in-the-web-pod"]], started.kubeconfig)
    text = joined(started.command("00.2").stdout)
    assert "one visitor counts 1, 2, 3 across the Pods" in text
    assert "found deployment/web" in text


def test_a_quota_that_leaves_no_room_is_told_and_the_command_disturbs_with_a_word(
    started: Place,
) -> None:
    given.apply([BANK["wrong-no-room-for-another"]], started.kubeconfig)
    text = joined(started.command("00.1").stdout)
    assert joined(LAB.task("00.1").first)[:40] in text
    assert "no Pod can be made in its place" in text


@pytest.mark.parametrize("answer", ["solution", "right-with-commands"])
def test_five_runs_say_the_same_and_one_pod_of_each_is_replaced(
    started: Place, answer: str
) -> None:
    files = given.solution(LAB) if answer == "solution" else [BANK[answer]]
    given.apply(files, started.kubeconfig)
    started.kubectl("rollout", "status", "deployment/web", "--timeout=90s")
    before, after = names(started), []
    for _ in range(5):
        code, found = started.records("00")
        assert code == 0, [one for one in found if one["verdict"] != "pass"]
        after.append(names(started))
    # One of the two Pods of the page, and the one of redis; both of the page, where a busy machine
    # made the first run try again. Not once a run.
    assert len(before) == 3
    assert len(before & after[0]) <= 1
    assert after == [after[0]] * 5
    pods = json.loads(started.kubectl("get", "pods", "-o", "json"))["items"]
    assert not [one for one in pods if COPY_LABEL in one["metadata"]["labels"]]
    assert started.kubectl("get", "lease", "-o", "name") == ""


def names(place: Place) -> set[str]:
    """The Pods that are there to stay."""
    pods = json.loads(place.kubectl("get", "pods", "-o", "json"))["items"]
    kept = [one["metadata"] for one in pods if "deletionTimestamp" not in one["metadata"]]
    return {one["name"] for one in kept}


def test_a_wrong_answer_is_refused_five_times_for_the_same_reason(started: Place) -> None:
    given.apply([BANK["wrong-redis-pod-address"]], started.kubeconfig)
    reasons = [started.records("00.2")[1][0]["reason"] for _ in range(5)]
    assert reasons == ["fixed-address"] * 5
