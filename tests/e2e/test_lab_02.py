"""Lab 02 on the real cluster: the answer bank, the words of a failure, acting, and time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from answers import Answer, Place, bank, place
from asking import until

from kubelab import acting, labs, learner
from kubelab.api import connect
from kubelab.objects import stamp
from kubelab.site import ROOT, Site
from kubelab.snapshot import COPY_LABEL

LAB = labs.find(ROOT, "02")
REFERENCE = str(LAB.solution / "web.yaml")
ANSWERS = {answer.name: answer for answer in bank(LAB)}
# Several at once: most of an answer's time is waiting.
AT_ONCE = 4

pytestmark = pytest.mark.timeout(300)


def tried(site: Site, answer: Answer, folder: Path, number: int) -> dict[str, Any]:
    """Give one answer in a namespace of its own, and check it as a command would."""
    with place(site, LAB, f"bank{number}", folder) as here:
        here.kubectl("apply", "-f", str(answer.file))
        return here.check("02.1")[1]


@pytest.fixture(scope="module")
def results(
    kind_cluster: Any, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Future[dict[str, Any]]]:
    """The records of all answers but those that other namespaces would see."""
    folder = tmp_path_factory.mktemp("bank")
    pool = ThreadPoolExecutor(AT_ONCE)
    return {
        name: pool.submit(tried, site, answer, folder, number)
        for number, (name, answer) in enumerate(ANSWERS.items())
        if name != "wrong-namespace"
    }


@pytest.mark.parametrize("name", [name for name in ANSWERS if name != "wrong-namespace"])
def test_an_answer_of_the_bank_is_judged_rightly(
    results: dict[str, Future[dict[str, Any]]], name: str
) -> None:
    found, expected = results[name].result(), ANSWERS[name]
    assert (found["verdict"], found["reason"]) == (expected.verdict, expected.reason), found


def test_the_right_pod_in_another_namespace_is_told_so(started: Place) -> None:
    answer = str(ANSWERS["wrong-namespace"].file)
    started.kubectl("-n", "default", "apply", "-f", answer)
    try:
        code, found = started.check("02.1")
    finally:
        started.kubectl("-n", "default", "delete", "-f", answer, "--now")
    assert (code, found["reason"]) == (1, "wrong-namespace")
    assert found["near"] == ["namespace default has Pod `web`"]


def test_the_untouched_start_is_refused_at_once(started: Place) -> None:
    code, found = started.check("02.1")
    assert (code, found["reason"], found["found"]) == (1, "not-found", "pod/web   not there")


def test_a_lab_that_was_not_started_is_one_line(
    kind_cluster: Any, site: Site, started: Place
) -> None:
    cluster = connect(site)
    cluster.patch(
        "Namespace",
        started.namespace,
        {"metadata": {"annotations": {learner.STARTED: None}}},
    )
    done = started.command("02.1")
    assert (done.returncode, done.stdout) == (1, "02.1  not started: ./lab start 02\n")


NEVER_READY = """\
02.1  not done                                                     0 of 3 points
Pod `web` is ready and answers, and it is restarted when it is no longer
healthy.

  wanted   pod/web   label app=web, image kubelab/web:1.0, ready
  found    pod/web   label app=web, image kubelab/web:3.0, Running, not ready

  Pod web                    Running, not ready for"""


def test_a_failure_is_told_word_by_word(started: Place) -> None:
    started.kubectl("apply", "-f", str(ANSWERS["wrong-never-ready-image"].file))
    text = started.command("02.1").stdout
    assert text.startswith(NEVER_READY)
    assert "  └─ container web           running, not ready\n" in text
    assert "s ago  Unhealthy " in text
    assert "HTTP probe failed with\n" in text
    assert "  log      " in text
    assert "/healthz HTTP/1.1" in text
    assert f"\n  why      {LAB.task('02.1').why[:50]}" in text
    assert text.endswith(f"  look     kubectl -n {started.namespace} describe pod web\n")
    assert max(map(len, text.splitlines())) <= 80


def test_the_proof_is_kept_and_the_copy_is_gone(started: Place) -> None:
    started.kubectl("apply", "-f", REFERENCE)
    code, first = started.check("02.1")
    assert (code, first["verdict"]) == (0, "pass")
    for _ in range(4):
        code, again = started.check("02.1")
        assert (code, again["verdict"]) == (0, "pass")
    pods = json.loads(started.kubectl("get", "pods", "-o", "json"))["items"]
    assert [one["metadata"]["name"] for one in pods] == ["web"]
    (status,) = pods[0]["status"]["containerStatuses"]
    assert status["restartCount"] == 0, "the learner's own Pod was not touched"
    assert started.kubectl("get", "lease", "-o", "name") == ""


def test_two_checks_at_once_are_both_right(started: Place) -> None:
    started.kubectl("apply", "-f", REFERENCE)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: started.check("02.1"), range(2)))
    assert [(code, one["verdict"]) for code, one in found] == [(0, "pass")] * 2


def test_a_check_that_crashed_leaves_nothing_for_long(started: Place, site: Site) -> None:
    started.kubectl("apply", "-f", str(ANSWERS["right-other-timings"].file))
    command = [sys.executable, "-m", "kubelab.runner", "--namespace", started.namespace, "02.1"]
    environment = {**os.environ, "KUBELAB_CLUSTER": site.name}
    crashed = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    copies = ("get", "pods", "-l", COPY_LABEL, "-o", "name")
    assert until(lambda: started.kubectl(*copies), bool)
    crashed.send_signal(signal.SIGKILL)
    crashed.wait()
    assert started.kubectl(*copies) != "", "a crash leaves a copy"
    # As if the time of its Lease were over.
    past = {"spec": {"renewTime": stamp(time.time() - 60, micro=True)}}
    connect(site).patch("Lease", acting.LEASE, past, started.namespace)
    assert started.check("02.1")[0] == 0
    assert started.kubectl(*copies) == ""


def test_what_changes_while_it_is_watched_is_seen(started: Place) -> None:
    started.kubectl("apply", "-f", str(ANSWERS["wrong-never-ready-image"].file))
    with ThreadPoolExecutor(1) as pool:
        check = pool.submit(started.check, "02.1")
        until(lambda: started.kubectl("get", "events"), lambda told: "statuscode: 503" in told)
        started.kubectl("set", "image", "pod/web", "web=kubelab/web:1.0")
        code, found = check.result()
    # It is ready now, so the next criterion is the one that does not hold.
    assert (code, found["reason"]) == (1, "no-liveness-probe")


def test_a_start_of_a_started_lab_changes_nothing(started: Place, site: Site) -> None:
    everything = ("get", "all,quota,limitrange,configmap", "-o", "json")
    before = json.loads(started.kubectl(*everything))["items"]
    assert learner.start(site, "02", namespace=started.namespace) is False
    after = json.loads(started.kubectl(*everything))["items"]
    versions = [[one["metadata"]["resourceVersion"] for one in found] for found in (before, after)]
    assert versions[0] == versions[1]


def test_saved_work_can_be_applied_again(started: Place, site: Site, tmp_path: Path) -> None:
    started.kubectl("apply", "-f", REFERENCE)
    file = learner.save_lab(connect(site), tmp_path / "work", started.namespace)
    assert file is not None
    started.kubectl("delete", "pod", "web", "--now")
    started.kubectl("apply", "-f", str(file))
    started.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    names = started.kubectl("get", "pods,configmaps,serviceaccounts", "-o", "name").split()
    assert names == ["pod/web", "configmap/kube-root-ca.crt", "serviceaccount/default"]


def test_a_namespace_that_hangs_is_told_with_its_finalizer(started: Place, site: Site) -> None:
    cluster = connect(site)
    held = {"metadata": {"name": "held", "finalizers": ["kubelab.dev/held"]}, "kind": "ConfigMap"}
    cluster.create("ConfigMap", held | {"apiVersion": "v1"}, started.namespace)
    cluster.delete("Namespace", started.namespace)

    def told() -> str:
        try:
            learner.start(site, "02", namespace=started.namespace)
        except learner.EnvironmentFault as error:
            return error.message
        return ""

    try:
        assert "kubelab.dev/held" in until(told, lambda words: "kubelab.dev/held" in words)
    finally:
        free = {"metadata": {"finalizers": None}}
        cluster.patch("ConfigMap", "held", free, started.namespace)
