"""Lab 06 on the real cluster: the words of a failure, one verdict, nothing left behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from answers import Place, place

from kubelab import acting, labs
from kubelab import answers as given
from kubelab.api import SYSTEM, connect
from kubelab.site import ROOT, Site
from kubelab.trying import copy_of
from kubelab.writers import COPY_LABEL

LAB = labs.find(ROOT, "06")
BANK = {one.name: one.file for one in given.every(LAB.bank)}

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def started(
    kind_cluster: object, site: Site, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Place]:
    """Lab 06, started in a namespace of the test's own."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**8}"
    with place(site, LAB, name, tmp_path) as found:
        yield found


def left_over(place: Place) -> list[str]:
    """What a check left behind: copies, their Pods, codes, a Lease."""
    found = [
        place.kubectl("get", kind, "-l", COPY_LABEL, "-o", "name", "--ignore-not-found")
        for kind in ("jobs", "configmaps")
    ]
    return [*"".join(found).split(), *place.kubectl("get", "lease", "-o", "name").split()]


def proved(site: Site, namespace: str) -> dict[str, str]:
    """What was proved in a namespace, and when."""
    body = connect(site).get("ConfigMap", f"proofs-{namespace}", SYSTEM) or {}
    return dict(body.get("data") or {})


def checked(place: Place) -> tuple[int, list[dict[str, Any]]]:
    """Check all tasks; Job `pi` is made anew where a busy node kept it from being judged.

    It has ended, so no second check would say anything else.
    """
    code, found = place.records("06")
    if found[0]["verdict"] != "env":
        return code, found
    place.kubectl("delete", "job", "pi")
    given.apply([LAB.solution / "1-pi.yaml"], place.kubeconfig)
    return place.records("06")


def test_two_namespaces_have_other_numbers(started: Place, site: Site, tmp_path: Path) -> None:
    with place(site, LAB, "other", tmp_path) as other:
        both = [one.kubectl("get", "configmap", "numbers", "-o", "jsonpath={.data}")
                for one in (started, other)]  # fmt: skip
    assert both[0] != both[1]
    assert [list(json.loads(one)) for one in both] == [[f"shard-{n}" for n in range(4)]] * 2


def test_too_many_at_once_is_told_with_the_pods(started: Place) -> None:
    given.apply([BANK["wrong-pi-all-at-once"]], started.kubeconfig)
    started.kubectl("wait", "--for=jsonpath={.status.active}=6", "job/pi", "--timeout=60s")
    text = started.command("06.1").stdout
    assert text.startswith("06.1  not done")
    assert "  wanted   job/pi   " in text
    assert "not suspended, 3 Pods at a time\n" in text
    assert "6 Pods at one time\n" in text
    assert "  Job pi  " in text
    # The test's namespace is longer than a learner's.
    usual = text.replace(started.namespace, LAB.namespace)
    assert max(map(len, usual.splitlines())) <= 80


def test_a_job_that_fails_shows_the_exit_codes_of_its_pods(started: Place) -> None:
    given.apply([BANK["wrong-pi-fails"]], started.kubeconfig)
    # Three failed Pods are judged at once; the controller takes a moment more to give the Job up.
    started.kubectl("wait", "--for=condition=Failed", "job/pi", "--timeout=90s")
    text = started.command("06.1").stdout
    assert "Failed: BackoffLimitExceeded" in text
    assert "exit code 1" in text


@pytest.mark.timeout(1200)
def test_five_runs_say_the_same_of_every_task_and_leave_nothing(started: Place) -> None:
    given.apply(given.solution(LAB), started.kubeconfig)
    for _ in range(5):
        code, found = checked(started)
        assert code == 0, [one for one in found if one["verdict"] != "pass"]
    assert left_over(started) == []


def test_a_suspended_clock_proves_nothing_anew(started: Place, site: Site) -> None:
    given.apply([LAB.solution / "3-tick.yaml"], started.kubeconfig)
    assert started.records("06.3")[0] == 0
    before = proved(site, started.namespace)
    assert before
    started.kubectl("patch", "cronjob", "tick", "-p", '{"spec": {"suspend": true}}')
    assert started.records("06.3")[0] == 0
    assert proved(site, started.namespace) == before


@pytest.mark.parametrize(
    ("answer", "reason"),
    [("wrong-flaky-no-ignore", "retry-counted"), ("wrong-flaky-ignores-all", "not-stopped")],
)
def test_a_wrong_answer_is_refused_each_time_for_the_same_reason(
    started: Place, answer: str, reason: str
) -> None:
    given.apply([BANK[answer]], started.kubeconfig)
    assert [started.records("06.4")[1][0]["reason"] for _ in range(3)] == [reason] * 3
    assert left_over(started) == []


def test_a_copy_that_a_crash_left_is_removed_with_its_pods(started: Place, site: Site) -> None:
    cluster = connect(site)
    job = json.loads(started.kubectl("get", "job", "flaky", "-o", "json"))
    cluster.create("Job", copy_of("flaky", job["spec"]), started.namespace)
    assert left_over(started)
    acting.mend(cluster, started.namespace)
    assert left_over(started) == []
    started.kubectl("wait", "--for=delete", "pod", "-l", COPY_LABEL, "--timeout=60s")
