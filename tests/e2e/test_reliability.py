"""What goes wrong around a check on the real cluster costs the learner nothing."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from answers import Place
from asking import until

from kubelab import labs
from kubelab.api import SYSTEM, Cluster, connect
from kubelab.site import ROOT, Site

LAB = labs.find(ROOT, "02")
REFERENCE = str(LAB.solution / "web.yaml")

pytestmark = [pytest.mark.timeout(400), pytest.mark.alone]


def probers(cluster: Cluster) -> list[dict[str, Any]]:
    """The Pods of the prober."""
    return cluster.objects("Pod", SYSTEM, labels="app.kubernetes.io/name=prober")


def answers(cluster: Cluster) -> bool:
    """Whether a prober is ready, and the Service leads to it."""
    slices = cluster.objects("EndpointSlice", SYSTEM, labels="kubernetes.io/service-name=prober")
    return any(
        (one.get("conditions") or {}).get("ready")
        for slice_ in slices
        for one in slice_.get("endpoints") or ()
    )


def test_without_a_prober_nothing_is_refused_and_then_it_goes_on(
    kind_cluster: Any, site: Site, started: Place
) -> None:
    """Scaled to none: could not check. Back again: right at once."""
    cluster = connect(site)
    started.kubectl("apply", "-f", REFERENCE)
    started.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    scale = ["-n", SYSTEM, "scale", "deployment", "prober", "--replicas"]
    try:
        kind_cluster.kubectl(*scale, "0")
        assert until(lambda: not answers(cluster), bool)
        code, found = started.check("02.1")
        assert (code, found["verdict"], found["earned"]) == (4, "env", 0)
        assert "prober" in found["found"]
    finally:
        kind_cluster.kubectl(*scale, "1")
    assert until(lambda: answers(cluster), bool)
    code, found = started.check("02.1")
    assert (code, found["verdict"]) == (0, "pass"), found


def test_a_prober_killed_in_the_middle_is_no_refusal(site: Site, started: Place) -> None:
    """Killed again and again while a check acts; the check after that is right."""
    cluster = connect(site)
    started.kubectl("apply", "-f", REFERENCE)
    with ThreadPoolExecutor(1) as pool:
        check: Future[tuple[int, dict[str, Any]]] = pool.submit(started.check, "02.1")
        while not check.done():
            for pod in probers(cluster):
                cluster.delete("Pod", pod["metadata"]["name"], SYSTEM)
            time.sleep(0.2)
        assert check.result()[1]["verdict"] in ("env", "pass")
    assert until(lambda: answers(cluster), bool)
    code, found = started.check("02.1")
    assert (code, found["verdict"]) == (0, "pass"), found
