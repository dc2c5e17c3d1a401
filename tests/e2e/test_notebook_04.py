"""Notebook 04 on the real cluster: as it is, and with the solution in the learner's cells."""

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
LAB = labs.find(SITE.root, "04")
CELL_SECONDS = 240
CHOICES = {"04.p1": 1, "04.p2": 1, "04.p3": 2}
TRUTH = {"04.p1": 2, "04.p2": 2, "04.p3": 1}

pytestmark = pytest.mark.timeout(900)

CAREFUL = """\
kubectl patch deployment nginx-deployment --type=strategic -p '
spec:
  template:
    spec:
      containers:
        - name: web
          image: kubelab/web:1.0
          readinessProbe:
            httpGet: {path: /healthz, port: 8080}
            periodSeconds: 1
          lifecycle:
            preStop:
              sleep: {seconds: 10}
'
kubectl rollout status deployment/nginx-deployment --timeout=120s
sleep 8
kubectl set image deployment/nginx-deployment web=kubelab/web:2.0
kubectl rollout status deployment/nginx-deployment --timeout=120s
"""


def canary() -> str:
    """The part of the solution that adds the canary."""
    text = (LAB.solution / "history.sh").read_text(encoding="utf-8")
    return "kubectl apply -f - <<EOF" + text.rpartition("kubectl apply -f - <<EOF")[2]


SOLUTIONS = {
    "1": "kubectl scale deployment nginx-deployment --replicas=4\n",
    "2": CAREFUL,
    "3": "kubectl rollout undo deployment/nginx-deployment\n"
    "kubectl rollout status deployment/nginx-deployment --timeout=120s\n",
    "4": canary(),
}


@pytest.fixture
def notebook(kind_cluster: Any) -> Iterator[nbformat.NotebookNode]:
    """The committed notebook, and a lab that was not started yet."""
    with unstarted(LAB, kind_cluster) as found:
        yield found


def test_the_notebook_with_the_solution_runs_to_its_end(
    notebook: nbformat.NotebookNode, tmp_path: Path
) -> None:
    for cell in notebook.cells:
        choose(cell, CHOICES)
        for number, commands in SOLUTIONS.items():
            if cell.id == f"task-{number}-yours":
                cell.source = f"%%bash\n{commands}"
    cells = run(LAB, notebook, tmp_path, CELL_SECONDS)
    assert "no answer" in text(cells["hurt-count"])
    observed = "".join(text(cells[f"observe-{which}"]) for which in "123")
    recorded = re.findall(r"^ +recorded +(\d)  ", observed, re.MULTILINE)
    assert dict(zip(TRUTH, map(int, recorded), strict=True)) == TRUTH, observed
    assert "the rollout is stuck" in text(cells["bad-image"])
    for number in SOLUTIONS:
        told = text(cells[f"check-{number}"])
        assert f"04.{number}  done" in told, told


def test_the_untouched_notebook_runs_to_its_end_and_is_not_done(
    notebook: nbformat.NotebookNode, tmp_path: Path
) -> None:
    cells = run(LAB, notebook, tmp_path, CELL_SECONDS)
    for number in SOLUTIONS:
        told = text(cells[f"check-{number}"])
        assert f"04.{number}  not done" in told, told
