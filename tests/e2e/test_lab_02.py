"""Lab 02 on the real cluster: the words of its failures, acting, and time."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from answers import Place, bank
from asking import until

from kubelab import acting, labs, learner
from kubelab.api import connect
from kubelab.objects import stamp
from kubelab.site import ROOT, Site
from kubelab.snapshot import COPY_LABEL

LAB = labs.find(ROOT, "02")
REFERENCE = str(LAB.solution / "web.yaml")
ANSWERS = {answer.name: answer for answer in bank(LAB)}
pytestmark = pytest.mark.timeout(300)


@pytest.mark.alone
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


def test_a_wrong_label_is_told_beside_the_right_one(started: Place) -> None:
    started.kubectl("apply", "-f", str(ANSWERS["wrong-label"].file))
    code, found = started.check("02.1")
    assert (code, found["reason"]) == (1, "wrong-label")
    assert (found["wanted"], found["found"]) == (
        "pod/web   label app=web",
        "pod/web   label app=webb",
    )
    assert found["look"] == f"kubectl -n {started.namespace} get pods --show-labels"


def test_a_pod_that_ends_again_and_again_is_told_with_its_last_words(started: Place) -> None:
    started.kubectl("apply", "-f", str(ANSWERS["wrong-crash-loop"].file))
    code, found = started.check("02.1")
    assert (code, found["reason"]) == (1, "crash-loop")
    assert found["found"].endswith(", image kubelab/web:1.0, CrashLoopBackOff")
    assert found["chain"][-1].endswith(" restarts, last exit code 2")
    assert "can't open file '/app/nothing-here.py'" in " ".join(found["log"])
    assert found["look"] == f"kubectl -n {started.namespace} logs web -c web --previous"


def test_the_proof_is_kept_and_the_copy_is_gone(started: Place) -> None:
    started.kubectl("apply", "-f", REFERENCE)
    code, first = started.check("02.1")
    assert (code, first["verdict"]) == (0, "pass")
    for _ in range(4):
        code, again = started.check("02.1")
        assert (code, again["verdict"]) == (0, "pass")
    pods = json.loads(started.kubectl("get", "pods", "-o", "json"))["items"]
    web = next(one for one in pods if one["metadata"]["name"] == "web")
    assert len(pods) == 3, "the given ones and the learner's"
    (status,) = web["status"]["containerStatuses"]
    assert status["restartCount"] == 0, "the learner's own Pod was not touched"
    assert started.kubectl("get", "lease", "-o", "name") == ""


def test_two_checks_at_once_are_both_right(started: Place) -> None:
    started.kubectl("apply", "-f", REFERENCE)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: started.check("02.1"), range(2)))
    assert [(code, one["verdict"]) for code, one in found] == [(0, "pass")] * 2


def test_a_check_that_crashed_leaves_nothing_for_long(started: Place, site: Site) -> None:
    started.kubectl("apply", "-f", REFERENCE)
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
    assert written(before) == written(after)


def written(objects: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    """Which objects there are, and how often their specs changed; their status moves by itself."""
    several = [one["metadata"] for one in objects]
    return sorted((one["name"], one["uid"], one.get("generation", 0)) for one in several)


def test_saved_work_can_be_applied_again(started: Place, site: Site, tmp_path: Path) -> None:
    started.kubectl("apply", "-f", REFERENCE)
    file = learner.save_lab(connect(site), tmp_path / "work", started.namespace)
    assert file is not None
    started.kubectl("delete", "pod", "web", "--now")
    started.kubectl("apply", "-f", str(file))
    started.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    names = started.kubectl("get", "pods,deployments", "-o", "name").split()
    assert {"pod/web", "pod/polite", "deployment.apps/broken"} <= set(names)


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


def given(place: Place, name: str) -> None:
    """Give one answer of the bank, in place of what can't be changed."""
    place.kubectl("delete", "pod", "polite", "--now")
    place.kubectl("apply", "-f", str(ANSWERS[name].file))


KITCHEN = """\
02.2  not done                                                     0 of 3 points
Pod `kitchen` serves its uid in line 1, from an init container, and a line 2
that a sidecar renews within 6 s.

  wanted   pod/kitchen   a copy writes its own uid first, and its sidecar alone
           rewrites line 2
  found    pod/kitchen   without idler, line 2 is rewritten all the same

  Pod kitchen                Running, ready
"""


def test_a_sidecar_that_does_nothing_is_told(started: Place) -> None:
    given(started, "wrong-kitchen-idle-sidecar")
    text = started.command("02.2").stdout
    assert text.startswith(KITCHEN)
    assert text.endswith(f"  look     kubectl -n {started.namespace} describe pod kitchen\n")


def test_a_kitchen_of_one_container_is_refused_by_its_spec(started: Place) -> None:
    given(started, "wrong-kitchen-one-container")
    code, found = started.check("02.2")
    assert (code, found["reason"]) == (1, "no-sidecar")
    assert found["found"] == "pod/kitchen   no init container with restartPolicy Always"


def test_the_crash_loop_of_the_start_is_told_with_its_last_words(started: Place) -> None:
    code, found = started.check("02.3")
    assert (code, found["reason"]) == (1, "crash-loop")
    text = started.command("02.3").stdout
    assert "\n  Deployment broken\n" in text
    assert "CrashLoopBackOff" in text
    assert "  log      sh: 1: NAME: is not set, and the page needs a name\n" in text
    assert text.endswith(" -c web --previous\n")


def test_a_probe_that_cannot_fail_is_told(started: Place) -> None:
    given(started, "wrong-broken-toothless-path")
    code, found = started.check("02.3")
    assert (code, found["reason"]) == (1, "not-restarted")
    assert found["found"].endswith("   an unhealthy copy says yes to its probe on /")


POLITE = """\
  wanted   pod/polite   a deleted copy answers its 5 s request, then ends by
           itself
  found    pod/polite   the request that was under way is lost: """


def test_the_lost_request_of_the_start_is_told(started: Place) -> None:
    text = started.command("02.4").stdout
    assert text.startswith("02.4  not done ")
    assert POLITE in text
    code, found = started.check("02.4")
    assert (code, found["reason"]) == (1, "request-lost")


def test_a_container_that_was_killed_is_told_with_its_time(started: Place) -> None:
    given(started, "wrong-polite-ignores")
    code, found = started.check("02.4")
    assert (code, found["reason"]) == (1, "killed")
    assert re.search(r"was killed \d+ s after the delete \(exit code 137\)", found["found"])


def test_a_finished_lab_says_the_same_five_times(started: Place) -> None:
    started.kubectl("delete", "pod", "polite", "--now")
    started.kubectl("apply", "-f", str(LAB.solution))
    for _ in range(5):
        done = started.command("02", "--json")
        verdicts = [one["verdict"] for one in json.loads(done.stdout)]
        assert verdicts == ["pass"] * 4, done.stdout
    names = started.kubectl("get", "pods", "-l", COPY_LABEL, "-o", "name")
    assert names == ""
