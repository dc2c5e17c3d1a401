"""Notebook 01 on the real cluster: as it is, and with solutions in the learner's cells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from executing import choose, run, text, unstarted

from kubelab import controlplane, labs
from kubelab.api import connect
from kubelab.site import here

SITE = here()
LAB = labs.find(SITE.root, "01")
CELL_SECONDS = 240
CHOICES = {"01.p1": 2, "01.p2": 3, "01.p3": 2}
# A busy machine may lose a request of the visitors by itself.
TRUTH = [{2}, {1, 2}, {2}]
YOURS = {
    "task-1-yours": "1-answers.sh",
    "task-2-yours": "2-binding.sh",
    "task-3-yours": "3-stopped.sh",
}

# Both stop the API server.
pytestmark = [pytest.mark.timeout(1200), pytest.mark.alone]


@pytest.fixture
def notebook(kind_cluster: Any) -> Iterator[nbformat.NotebookNode]:
    """The committed notebook, and a lab that was not started."""
    with unstarted(LAB, kind_cluster) as found:
        yield found
        controlplane.mend(SITE)


def test_the_notebook_with_the_solutions_runs_to_its_end(
    notebook: nbformat.NotebookNode, tmp_path: Path
) -> None:
    for cell in notebook.cells:
        choose(cell, CHOICES)
        if cell.id in YOURS:
            body = (LAB.solution / YOURS[cell.id]).read_text(encoding="utf-8")
            cell.source = f"%%bash\n{body}"
    cells = run(LAB, notebook, tmp_path, CELL_SECONDS)
    said = text(cells["hurt-start"])
    assert said.endswith("the foreman is dead\nforeman: how many workers?\n")
    assert "/registry/deployments/lab-01/sleepy" in text(cells["etcd-keys"])
    drawn = text(cells["apply-watch"])
    for one in ("kube-apiserver", "deployment-controller", "replicaset-controller", "kubelet"):
        assert one in drawn
    observed = "".join(text(cells[f"observe-{number}"]) for number in (1, 2, 3))
    recorded = re.findall(r"^ +recorded +(\d)  ", observed, re.MULTILINE)
    assert len(recorded) == len(TRUTH), observed
    for right, found in zip(TRUTH, map(int, recorded), strict=True):
        assert found in right, observed
    # Without the API server's help, ten seconds of silence would be far more.
    lost = re.search(r"(\d+) of (\d+) requests failed", " ".join(observed.split()))
    assert lost is None or int(lost[1]) * 10 <= int(lost[2]), observed
    assert "nobody answers kubectl" in text(cells["silence-stop"])
    assert "no such name" in text(cells["proxy-try"])
    for number, task in enumerate(LAB.tasks, 1):
        told = text(cells[f"check-{number}"])
        assert f"{task}  done" in told, told
    assert controlplane.missing(connect(SITE)) == ()


def test_the_untouched_notebook_runs_to_its_end_and_nothing_is_done(
    notebook: nbformat.NotebookNode, tmp_path: Path
) -> None:
    cells = run(LAB, notebook, tmp_path, CELL_SECONDS)
    for number, task in enumerate(LAB.tasks, 1):
        told = text(cells[f"check-{number}"])
        assert f"{task}  not done" in told, told
