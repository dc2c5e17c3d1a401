"""Notebook 02 on the real cluster: as it is, and with the solution in the learner's cell."""

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
LAB = labs.find(SITE.root, "02")
CELL_SECONDS = 240
CHOICES = {"02.p1": 3, "02.p2": 1, "02.p3": 1, "02.p4": 1}
TRUTH = {"02.p1": 3, "02.p2": 2, "02.p3": 1, "02.p4": 2}
SOLUTIONS = {"1": "web", "2": "kitchen", "3": "broken", "4": "polite"}

pytestmark = pytest.mark.timeout(700)


@pytest.fixture
def notebook(kind_cluster: Any) -> Iterator[nbformat.NotebookNode]:
    """The committed notebook, and a lab that was not started yet."""
    with unstarted(LAB, kind_cluster) as found:
        yield found


def solved(cell: nbformat.NotebookNode) -> None:
    """Put the solution in the place of the learner's own cell."""
    for number, name in SOLUTIONS.items():
        if cell.id == f"task-{number}-yours":
            manifest = (LAB.solution / f"{name}.yaml").read_text(encoding="utf-8")
            first = "kubectl delete pod polite\n" if name == "polite" else ""
            cell.source = f"%%bash\n{first}kubectl apply -f - <<'EOF'\n{manifest}\nEOF\n"


def test_the_notebook_with_the_solution_runs_to_its_end(
    notebook: nbformat.NotebookNode, tmp_path: Path
) -> None:
    for cell in notebook.cells:
        choose(cell, CHOICES)
        solved(cell)
    cells = run(LAB, notebook, tmp_path, CELL_SECONDS)
    hurt = text(cells["hurt-hang"])
    assert re.findall("running|answers with 200|no answer", hurt) == [
        "running",
        "answers with 200",
        "running",
        "no answer",
    ]
    observed = "".join(text(cells[f"observe-{which}"]) for which in ("1", "2-3", "4"))
    recorded = re.findall(r"^ +recorded +(\d)  ", observed, re.MULTILINE)
    assert dict(zip(TRUTH, map(int, recorded), strict=True)) == TRUTH
    assert "Killing" in text(cells["events-read"])
    assert "/fail" in text(cells["events-read"])
    looked = text(cells["pair-look"])
    assert "I am pair, " in looked
    assert "Read-only file system" in looked
    assert "\n200\n" in looked
    assert "python3 /app/app.py" in looked.partition("-- debug")[2]
    for number in SOLUTIONS:
        told = text(cells[f"check-{number}"])
        assert told.startswith(f"02.{number}  done"), told
        assert all("text/html" in out.data for out in cells[f"check-{number}"].outputs)


def test_the_untouched_notebook_runs_to_its_end_and_is_not_done(
    notebook: nbformat.NotebookNode, tmp_path: Path
) -> None:
    cells = run(LAB, notebook, tmp_path, CELL_SECONDS)
    for number in SOLUTIONS:
        told = text(cells[f"check-{number}"])
        assert told.startswith(f"02.{number}  not done"), told
