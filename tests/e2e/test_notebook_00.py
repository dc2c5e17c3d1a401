"""Notebook 00 on the real cluster: as it is, and with solutions in the learner's cells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
from executing import choose, run, text, unstarted

from kubelab import labs
from kubelab.site import here

SITE = here()
LAB = labs.find(SITE.root, "00")
CELL_SECONDS = 400
CHOICES = {"00.p1": 1, "00.p2": 2, "00.p3": 1}
TRUTH = {"00.p1": 2, "00.p2": 3, "00.p3": 3}
YOURS = {
    "task-1-yours": "kubectl create deployment web --image=kubelab/web:1.0 --replicas=2\n",
    "task-2-yours": "kubectl set env deployment/web STORE_HOST=redis\n"
    "kubectl expose deployment web --port=80 --target-port=8080\n",
}

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture
def notebook(kind_cluster: Any) -> Iterator[nbformat.NotebookNode]:
    """The committed notebook, and a lab that was not started."""
    with unstarted(LAB, kind_cluster) as found:
        yield found


def test_the_notebook_with_the_solutions_runs_to_its_end(
    notebook: nbformat.NotebookNode, tmp_path: Any
) -> None:
    for cell in notebook.cells:
        choose(cell, CHOICES)
        if cell.id in YOURS:
            cell.source = f"%%bash\n{YOURS[cell.id]}"
    cells = run(LAB, notebook, tmp_path, CELL_SECONDS)
    assert "the page answers with 200" in text(cells["hurt-start"])
    assert text(cells["hurt-kill"]).count("no answer") == 3
    observed = "".join(text(cells[f"observe-{number}"]) for number in (1, 2, 3))
    recorded = re.findall(r"^ +recorded +(\d)  ", observed, re.MULTILINE)
    assert dict(zip(TRUTH, map(int, recorded), strict=True)) == TRUTH
    assert "Deployment" in text(cells["owner-look"])
    drawn = text(cells["compare-watch"])
    assert "by-hand was killed" in drawn
    assert "nobody brought it back" in drawn, drawn
    assert re.search(r"answers again after \d+ s, by kept-", drawn), drawn
    for number, task in enumerate(LAB.tasks, 1):
        told = text(cells[f"check-{number}"])
        assert f"{task}  done" in told, told
    # One visit may be lost on a busy machine.
    assert re.search(r'"count": [34]\b', text(cells["count-visits"]))


def test_the_untouched_notebook_runs_to_its_end_and_nothing_is_done(
    notebook: nbformat.NotebookNode, tmp_path: Any
) -> None:
    cells = run(LAB, notebook, tmp_path, CELL_SECONDS)
    for number, task in enumerate(LAB.tasks, 1):
        told = text(cells[f"check-{number}"])
        assert f"{task}  not done" in told, told
