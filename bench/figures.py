"""Measures the course's figures on this machine: `.venv/bin/python bench/figures.py [NAME ...]`.

Names: again, check, image, memory, ready. Needs a cluster that is up (`./lab up`), and for `check`
a lab 02 whose task 1 is done. `ready` removes the cluster and makes it again. Times are whole
commands, the median of five after a warm-up, for `ready` of three without one; comparisons are
ratios within one run.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAB = str(ROOT / "lab")
RUNS = 5


def seconds(command: list[str], runs: int = RUNS) -> float:
    """The median time of a whole command."""
    taken = []
    for _ in range(runs + 1):
        began = time.monotonic()
        subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        taken.append(time.monotonic() - began)
    return statistics.median(taken[1:])


def output(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def image() -> None:
    """The node image's size."""
    name = json.loads(output(LAB, "status", "--json"))["cluster"]["node_image"]
    print(f"node image: {output('docker', 'image', 'ls', '--format', '{{.Size}}', name).strip()}")


def memory() -> None:
    """What the three nodes use, as the engine counts it."""
    lines = output("docker", "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}")
    units = {"MiB": 1 / 1024, "GiB": 1.0}
    total = 0.0
    for name, used, unit in re.findall(r"^(kubelab-\S+) ([\d.]+)(MiB|GiB)", lines, re.MULTILINE):
        if not name.startswith("kubelab-test"):
            total += float(used) * units[unit]
    print(f"memory of the idle cluster: {total:.2f} GiB")


def again() -> None:
    """`./lab up` where the cluster is up."""
    print(f"up, cluster there: {seconds([LAB, 'up', '--no-open']):.2f} s")


def ready() -> None:
    """`./lab up` where the image is there and the cluster is not."""
    taken = []
    for _ in range(3):
        subprocess.run([LAB, "down"], cwd=ROOT, check=True, capture_output=True)
        began = time.monotonic()
        subprocess.run([LAB, "up", "--no-open"], cwd=ROOT, check=True, capture_output=True)
        taken.append(time.monotonic() - began)
    print(f"up, image there, no cluster: {statistics.median(taken):.0f} s")


def check() -> None:
    """`./lab check 02.1` on a proven Pod and on a missing one, beside `kubectl wait`."""
    kubectl = [LAB, "shell", "02", "--", "kubectl"]
    proven = seconds([LAB, "check", "02.1"])
    kept = output(*kubectl, "get", "pod", "web", "-o", "yaml")
    subprocess.run([*kubectl, "delete", "pod", "web"], cwd=ROOT, check=True, capture_output=True)
    missing = seconds([LAB, "check", "02.1"])
    waited = seconds([*kubectl, "wait", "--for=create", "--timeout=30s", "pod/web"], runs=1)
    subprocess.run(
        [*kubectl, "apply", "-f", "-"], cwd=ROOT, input=kept, text=True, capture_output=True,
        check=False,
    )  # fmt: skip
    print(f"check 02.1, proven: {proven:.2f} s; missing: {missing:.2f} s")
    print(f"kubectl wait on the missing Pod: {waited:.1f} s, {waited / missing:.0f} times as long")


FIGURES: dict[str, Callable[[], None]] = {
    function.__name__: function for function in (image, memory, again, check, ready)
}


if __name__ == "__main__":
    for chosen in sys.argv[1:] or FIGURES:
        FIGURES[chosen]()
