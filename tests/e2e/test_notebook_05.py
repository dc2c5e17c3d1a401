"""Notebook 05 on the real cluster: as it is, and with solutions in the learner's cells."""

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
LAB = labs.find(SITE.root, "05")
CELL_SECONDS = 400
CHOICES = {"05.p1": 1, "05.p2": 2, "05.p3": 1}
TRUTH = {"05.p1": 2, "05.p2": 2, "05.p3": 2}
FILES = {"task-1-yours": "1-shop", "task-3-yours": "2-gateway", "task-4-yours": "3-menu"}

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture
def notebook(kind_cluster: Any) -> Iterator[nbformat.NotebookNode]:
    """The committed notebook, and a lab that was not started."""
    with unstarted(LAB, kind_cluster) as found:
        yield found


def test_the_notebook_with_the_solutions_runs_to_its_end(
    notebook: nbformat.NotebookNode, tmp_path: Path
) -> None:
    for cell in notebook.cells:
        choose(cell, CHOICES)
        if cell.id in FILES:
            answer = (LAB.solution / f"{FILES[cell.id]}.sh").read_text(encoding="utf-8")
            cell.source = f"%%bash\n{answer}"
    cells = run(LAB, notebook, tmp_path, CELL_SECONDS)
    assert "api can't start" in text(cells["hurt-start"])
    assert re.search(r"shop/apix +api answers", text(cells["hurt-ask"]))
    assert "in a browser: http://shop.lab-05.localhost:" in text(cells["door-visit"])
    assert "200 tea.lab-05.localhost/tea/green -> api-" in text(cells["observe-1"])
    assert "(Ingress tea)" in text(cells["observe-1"])
    shown = text(cells["certificate-show"])
    assert "DNS:*.localhost" in shown.partition("after:")[0]
    assert "DNS:tea.lab-05.localhost" in shown.partition("after:")[2]
    assert "ResolvedRefs True" in text(cells["half-apply"])
    observed = "".join(text(cells[f"observe-{number}"]) for number in (1, 2, 3))
    recorded = re.findall(r"^ +recorded +(\d)  ", observed, re.MULTILINE)
    assert dict(zip(TRUTH, map(int, recorded), strict=True)) == TRUTH
    assert "(HTTPRoute shop)" in text(cells["doors-draw"])
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
