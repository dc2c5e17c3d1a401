"""Measures the checking engine: `.venv/bin/python bench/checking.py [NAME ...]`.

Names: settled, after, requests, grade. They need a cluster that is up
(`./lab up`) and use namespaces `bench-…` of their own, which are removed. Comparisons are ratios
within one run. `grade` (bench/grading.py) takes the number of namespaces from BENCH_CLASS (200),
and of those that finished and run for real from BENCH_REAL (4).
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from figures import ROOT, seconds
from urllib3.exceptions import ProtocolError

sys.path.insert(0, str(ROOT))

from grading import grade

from kubelab import answers, labs, plugin, runner, tools
from kubelab.api import Cluster, connect
from kubelab.checking import LabView
from kubelab.site import Site
from kubelab.snapshot import Snapshot
from kubelab.verdict import judge

SITE = Site()
RUNS = 5


@contextmanager
def lab_in(name: str, number: str) -> Iterator[tuple[Cluster, str, Path]]:
    """A started lab in a namespace of the bench's own."""
    with tempfile.TemporaryDirectory() as folder:
        lab = labs.find(SITE.root, number)
        with answers.place(SITE, lab, name, Path(folder)) as place:
            yield connect(SITE), place.namespace, place.kubeconfig


def settled() -> None:
    """The verdict on a Service that nobody makes: warm, as a command, and the usual ways."""
    with lab_in("bench-s", "03") as (_, namespace, kubeconfig):
        warm = []
        for _ in range(RUNS + 1):
            began = time.monotonic()
            runner.run(SITE, ["03.1"], namespace=namespace, keep=False)
            warm.append(time.monotonic() - began)
        in_notebook = statistics.median(warm[1:])
        words = ["-m", "kubelab.runner", "--namespace", namespace, "--no-record", "03.1"]
        command = seconds([sys.executable, *words])
        kubectl = [str(tools.kubectl()), "--kubeconfig", str(kubeconfig)]
        began = time.monotonic()
        wait = [*kubectl, "wait", "--for=create", "service/web", "--timeout=30s"]
        subprocess.run(wait, capture_output=True, check=False)
        waited = time.monotonic() - began
        polled = poll([*kubectl, "get", "service", "web"])
    print(f"settled and wrong: {in_notebook:.2f} s in a notebook, {command:.2f} s as a command")
    print(f"  kubectl wait, its own 30 s: {waited:.1f} s, {waited / in_notebook:.0f} times as long")
    print(f"  a loop of 2 s for 30 s: {polled:.1f} s, {polled / in_notebook:.0f} times as long")


def poll(command: list[str]) -> float:
    """A loop that asks every 2 s and gives up after 30."""
    began = time.monotonic()
    while time.monotonic() - began < 30:
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            break
        time.sleep(2)
    return time.monotonic() - began


def after() -> None:
    """How long after the last event of a Pod that becomes ready the verdict is there."""
    lags = []
    with lab_in("bench-a", "03") as (cluster, namespace, _):
        lab = labs.find(SITE.root, "03")
        for number in range(RUNS + 1):
            name = f"late-{number}"
            events: list[float] = []
            stream = cluster.watch("Pod", namespace, seconds=90)
            threading.Thread(target=follow, args=(stream, name, events), daemon=True).start()
            snapshot = Snapshot(cluster, namespace)
            view = LabView(cluster, lab, lab.task("03.1"), snapshot)
            cluster.create("Pod", late(name), namespace)
            found = judge(lambda view=view, name=name: ready(view, name), view, 60.0)
            done = time.monotonic()
            snapshot.close()
            stream.close()
            assert found.verdict == "pass", found
            lags.append(done - events[-1])
    print(
        f"verdict after the last event: {statistics.median(lags[1:]):.2f} s, {len(lags) - 1} Pods"
    )


def ready(view: LabView, name: str) -> None:
    """The check that is measured."""
    assert view.pod(name).ready


def late(name: str) -> dict[str, Any]:
    """A Pod that is ready some seconds after its start."""
    probe = {"exec": {"command": ["true"]}, "initialDelaySeconds": 3, "periodSeconds": 1}
    box = {"name": "web", "image": "kubelab/toolbox:1.0", "command": ["sleep", "300"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [box | {"readinessProbe": probe}]},
    }


def follow(stream: Any, name: str, events: list[float]) -> None:
    """Note when each event of one Pod came."""
    with suppress(ProtocolError):  # The stream is closed when the verdict is there.
        for event, body in stream:
            if event != "BOOKMARK" and body["metadata"]["name"] == name:
                events.append(time.monotonic())


def requests() -> None:
    """The requests of one run of a lab, by its number of tasks: at the start, and again."""
    for lab in labs.every(SITE.root):
        with lab_in("bench-r", lab.number) as (_, namespace, _):
            counts = []
            for _ in range(2):
                cluster = connect(SITE)
                before = cluster.requests
                with instead(cluster):
                    runner.run(SITE, [lab.number], namespace=namespace, timeout=0, keep=False)
                counts.append(cluster.requests - before)
        print(f"lab {lab.number}: {counts} requests for {len(lab.tasks)} tasks at the start state")


@contextmanager
def instead(cluster: Cluster) -> Iterator[None]:
    """Let checks use this connection, so that its requests can be counted."""
    kept, plugin.connect = plugin.connect, lambda _: cluster
    try:
        yield
    finally:
        plugin.connect = kept


FIGURES: dict[str, Callable[[], None]] = {
    function.__name__: function for function in (settled, after, requests, grade)
}


if __name__ == "__main__":
    for chosen in sys.argv[1:] or FIGURES:
        FIGURES[chosen]()
