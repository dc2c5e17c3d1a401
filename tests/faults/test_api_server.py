"""The API server goes away in the middle of a check: could not check, and right once it is back."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from learner import Lab, watch

from kubelab import labs
from kubelab.evidence import LEASE_LOST
from kubelab.site import ROOT

LAB = labs.find(ROOT, "02")
NEVER_READY = LAB.bank / "wrong-never-ready-image.yaml"
MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"
ASIDE = "/root/kube-apiserver.yaml"


@pytest.fixture
def started(up: Lab) -> Lab:
    """Lab 02, started; the Pod of another test is gone."""
    assert up.run("start", "02").returncode == 0
    up.kubectl("delete", "pod", "web", "--ignore-not-found", "--now")
    return up


def in_node(lab: Lab, script: str) -> str:
    """Run a script in the node of the control plane."""
    node = f"{lab.site.name}-control-plane"
    command = ["docker", "exec", node, "bash", "-c", script]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def ready(lab: Lab) -> bool:
    """Whether the API server says that it is ready."""
    done = lab.run("shell", "02", "--", "kubectl", "get", "--raw", "/readyz")
    return done.stdout == "ok"


@contextmanager
def away(lab: Lab) -> Iterator[None]:
    """Without an API server: the kubelet runs it as long as its manifest is there."""
    in_node(lab, f"mv {MANIFEST} {ASIDE}")
    try:
        assert watch(lambda: not ready(lab), 60)
        yield
    finally:
        in_node(lab, f"mv {ASIDE} {MANIFEST}")
        assert watch(lambda: ready(lab), 120)
        # The scheduler, started again without it, asks it again only after up to a minute.
        assert lab.run("mend").returncode == 0


def checked(lab: Lab) -> tuple[int, dict[str, Any]]:
    """The exit code and the record of a check."""
    done = lab.run("check", "02.1", "--json")
    (record,) = json.loads(done.stdout)
    return done.returncode, record


def beside(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Work under way in a thread, and what it gives."""
    given: list[Any] = []
    thread = threading.Thread(target=lambda: given.append(work()))
    thread.start()
    return thread, given


def test_a_restart_in_the_middle_of_a_check_is_no_refusal(started: Lab) -> None:
    """It is killed while the check acts on a copy; the next check mends what that one left."""
    started.kubectl("apply", "-f", str(LAB.solution / "web.yaml"))
    started.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    thread, given = beside(lambda: checked(started))
    assert watch(lambda: bool(started.items("get", "pods", "-l", "kubelab.dev/copy-of")), 60)
    in_node(started, "crictl stop --timeout 0 $(crictl ps --name kube-apiserver --quiet)")
    thread.join()
    assert given[0][1]["verdict"] in ("env", "pass"), given
    assert watch(lambda: ready(started), 120)
    code, found = checked(started)
    assert (code, found["verdict"]) == (0, "pass"), found
    assert started.items("get", "pods", "-l", "kubelab.dev/copy-of") == []


def test_what_is_wrong_is_refused_again_as_soon_as_it_is_back(started: Lab) -> None:
    """Away for longer than a Lease lasts: its age says nothing about who could not renew it."""
    started.kubectl("apply", "-f", str(NEVER_READY))
    assert watch(lambda: checked(started)[1]["verdict"] == "fail", 120)
    with away(started):
        code, found = checked(started)
        assert (code, found["verdict"], found["earned"]) == (4, "env", 0)
        pause = threading.Event()
        pause.wait(LEASE_LOST)
    code, found = checked(started)
    assert (code, found["reason"]) == (1, "not-ready"), found
