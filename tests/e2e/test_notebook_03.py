"""Notebook 03 on the real cluster: as it is, and with solutions in the learner's cells."""

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
LAB = labs.find(SITE.root, "03")
CELL_SECONDS = 180
CHOICES = {"03.p1": 1, "03.p2": 2, "03.p3": 1}
TRUTH = {"03.p1": 2, "03.p2": 2, "03.p3": 2}
FORWARD = "kubectl rollout status deployment/{} --timeout=90s\n"
YOURS = {
    "task-2-yours": "kubectl set env deployment/caller BACKEND_URL=http://backend\n"
    + FORWARD.format("caller"),
    "task-5-yours": FORWARD.format("api")
    + "pod=$(kubectl get pods -l app=api -o jsonpath='{.items[0].metadata.name}')\n"
    + 'kubectl label pod "$pod" app=api-out --overwrite\n',
}

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def notebook(kind_cluster: Any) -> Iterator[nbformat.NotebookNode]:
    """The committed notebook, and a lab that was not started."""
    with unstarted(LAB, kind_cluster) as found:
        yield found


def test_the_notebook_with_the_solutions_runs_to_its_end(
    notebook: nbformat.NotebookNode, tmp_path: Path
) -> None:
    solution = (LAB.solution / "1-services.yaml").read_text(encoding="utf-8")
    manifests = f"kubectl apply -f - <<'EOF'\n{solution}\nEOF\n"
    for cell in notebook.cells:
        choose(cell, CHOICES)
        if cell.id.endswith("-yours"):
            cell.source = f"%%bash\n{YOURS.get(cell.id, manifests)}"
    cells = run(LAB, notebook, tmp_path, CELL_SECONDS)
    assert "answers with 200" in text(cells["hurt-start"])
    assert "gives no answer" in text(cells["hurt-ask"])
    observed = "".join(text(cells[f"observe-{number}"]) for number in (1, 2, 3))
    recorded = re.findall(r"^ +recorded +(\d)  ", observed, re.MULTILINE)
    assert dict(zip(TRUTH, map(int, recorded), strict=True)) == TRUTH
    assert "no answer" in text(cells["ready-fail"])
    assert "nothing on 127.0.0.1" in text(cells["outside-try"])
    assert "<pending>" in text(cells["outside-try"])
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
