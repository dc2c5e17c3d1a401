"""Lab 01 on the real cluster: the words of a failure, and a control plane that comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from answers import Place, place
from asking import until

from kubelab import answers as given
from kubelab import controlplane, labs
from kubelab.api import connect
from kubelab.site import ROOT, Site

LAB = labs.find(ROOT, "01")
BANK = {one.name: one.file for one in given.every(LAB.bank)}
ANSWERS, BINDING, STOPPED = given.solution(LAB)

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def started(
    kind_cluster: object, site: Site, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Place]:
    """Lab 01, started in a namespace of the test's own, its Deployments rolled out."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**8}"
    with place(site, LAB, name, tmp_path) as found:
        found.kubectl("wait", "--for=condition=Available", "deployment", "--all", "--timeout=90s")
        yield found


@pytest.fixture
def whole(site: Site) -> Iterator[None]:
    """A control plane that is whole again afterwards, whatever the test did to it."""
    yield
    controlplane.mend(site)
    assert controlplane.missing(connect(site)) == ()


def taken_away(site: Site) -> tuple[str, ...] | None:
    """What its node misses; a busy node that is mute is asked again."""
    return until(lambda: controlplane.taken_away(site), lambda found: found is not None, 60.0)


def test_five_runs_say_the_same_of_what_was_found_out_and_of_the_binding(started: Place) -> None:
    given.apply([ANSWERS, BINDING], started.kubeconfig)
    for task in ("01.1", "01.2"):
        found = [started.check(task) for _ in range(5)]
        assert [(code, one["verdict"]) for code, one in found] == [(0, "pass")] * 5, found


def test_a_wrong_entry_is_told_without_the_right_one(started: Place) -> None:
    given.apply([BANK["wrong-store-etcd"]], started.kubeconfig)
    code, found = started.check("01.1")
    assert (code, found["reason"]) == (1, "wrong-entry")
    assert "etcd" in found["found"]
    assert "kube-apiserver" not in found["found"] + found["wanted"]


@pytest.mark.alone
def test_what_was_asked_for_meanwhile_counts_five_times(started: Place, whole: None) -> None:
    given.apply([STOPPED], started.kubeconfig)
    found = [started.check("01.3") for _ in range(5)]
    assert [(code, one["verdict"]) for code, one in found] == [(0, "pass")] * 5, found


@pytest.mark.alone
def test_a_component_that_does_not_run_costs_nothing(
    site: Site, started: Place, whole: None
) -> None:
    """The check says which one, and what brings it back."""
    controlplane.on_node(site, "stop", "kube-scheduler", "120")
    assert until(lambda: controlplane.missing(connect(site)) == ("kube-scheduler",), bool, 90.0)
    code, found = started.check("01.1")
    assert (code, found["verdict"], found["look"]) == (4, "env", controlplane.MEND)
    assert "kube-scheduler does not run" in found["found"]
    assert controlplane.mend(site) == ["kube-scheduler"]
    code, found = started.check("01.1")
    assert (code, found["reason"]) == (1, "not-found")


@pytest.mark.alone
def test_after_ctrl_c_the_component_is_back(site: Site, started: Place, whole: None) -> None:
    words = ["without", "controller-manager", "--", "sleep", "100"]
    process = subprocess.Popen(
        [str(site.root / "lab"), *words],
        env={**os.environ, "KUBELAB_CLUSTER": site.name, "KUBECONFIG": str(started.kubeconfig)},
        start_new_session=True,
    )
    assert until(lambda: controlplane.taken_away(site) == ("kube-controller-manager",), bool, 90.0)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=200) == 130
    assert taken_away(site) == ()
    assert controlplane.missing(connect(site)) == ()


@pytest.mark.alone
def test_where_the_command_is_killed_the_node_brings_the_component_back(
    site: Site, started: Place, whole: None
) -> None:
    killed = """
import os
from kubelab import controlplane
from kubelab.site import here
controlplane.without(here(), "kube-scheduler", ["sleep", "100"], os.environ, longest=60)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", killed], cwd=site.root,
        env={**os.environ, "KUBELAB_CLUSTER": site.name}, start_new_session=True,
    )  # fmt: skip
    try:
        assert until(lambda: controlplane.taken_away(site) == ("kube-scheduler",), bool, 90.0)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
    assert process.wait(timeout=20) == -signal.SIGKILL
    assert taken_away(site) == ("kube-scheduler",)
    assert until(lambda: controlplane.taken_away(site) == (), bool, 150.0)
    assert until(lambda: controlplane.missing(connect(site)) == (), bool, 90.0)
