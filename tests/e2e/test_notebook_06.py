"""Notebook 06 on the real cluster: as it is, and with solutions in the learner's cells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from executing import choose, run, text, unstarted

from kubelab import labs
from kubelab.site import here

SITE = here()
LAB = labs.find(SITE.root, "06")
CELL_SECONDS = 400
CHOICES = {"06.p1": 1, "06.p2": 1, "06.p3": 1, "06.p4": 3}
# How long six runs take depends on the machine.
TRUTH = {"06.p1": {2}, "06.p2": {2, 3}, "06.p3": {2}, "06.p4": {2}}
YOURS = {
    "task-1-yours": "1-pi.yaml",
    "task-2-yours": "2-shards.sh",
    "task-3-yours": "3-tick.yaml",
    "task-4-yours": "4-flaky.yaml",
}

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture
def notebook(kind_cluster: Any) -> Iterator[nbformat.NotebookNode]:
    """The committed notebook, and a lab that was not started."""
    with unstarted(LAB, kind_cluster) as found:
        yield found


def solved(name: str) -> str:
    """A file of the reference as a learner's cell."""
    body = (LAB.solution / name).read_text(encoding="utf-8")
    if name.endswith(".sh"):
        return f"%%bash\n{body}"
    before = "kubectl delete job flaky\n" if "flaky" in name else ""
    return f"%%bash\n{before}kubectl apply -f - <<'EOF'\n{body}\nEOF\n"


def test_the_notebook_with_the_solutions_runs_to_its_end(
    notebook: nbformat.NotebookNode, tmp_path: Path
) -> None:
    for cell in notebook.cells:
        choose(cell, CHOICES)
        if cell.id in YOURS:
            cell.source = solved(YOURS[cell.id])
    cells = run(LAB, notebook, tmp_path, CELL_SECONDS)
    assert "file 1 counted" in text(cells["hurt-start"])
    assert "it ended with -9" in text(cells["hurt-ask"])
    observed = "".join(text(cells[f"observe-{number}"]) for number in (1, 2, 3, 4))
    recorded = re.findall(r"^ +recorded +(\d)  ", observed, re.MULTILINE)
    assert len(recorded) == len(TRUTH), observed
    for (prediction, right), found in zip(TRUTH.items(), map(int, recorded), strict=True):
        assert found in right, prediction
    drawn = text(cells["task-1-watch"])
    assert "job/pi: Complete, 6 of 6 succeeded, at most 3 Pods at a time" in drawn
    assert drawn.count("exit 0") >= 6
    for number, task in enumerate(LAB.tasks, 1):
        told = text(cells[f"check-{number}"])
        assert f"{task}  done" in told, told


def test_the_untouched_notebook_runs_to_its_end_and_nothing_is_done(
    notebook: nbformat.NotebookNode, tmp_path: Path
) -> None:
    cells = run(LAB, notebook, tmp_path, CELL_SECONDS)
    for number, task in enumerate(LAB.tasks, 1):
        told = text(cells[f"check-{number}"])
        assert f"{task}  not done" in told, told
