"""Notebook 02 on the real cluster: as it is, and with the solution in the learner's cell."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from kubelab import jupyter, labs
from kubelab.site import here

SITE = here()
LAB = labs.find(SITE.root, "02")
CELL_SECONDS = 120
CHOICES = {"02.p1": 3, "02.p2": 1, "02.p3": 1}
TRUTH = {"02.p1": 3, "02.p2": 2, "02.p3": 1}

pytestmark = pytest.mark.timeout(400)


def run(notebook: nbformat.NotebookNode, folder: Path) -> dict[str, nbformat.NotebookNode]:
    """Run every cell in the course's kernel; the cells by id. A cell that fails raises."""
    client = NotebookClient(
        notebook, timeout=CELL_SECONDS, resources={"metadata": {"path": str(folder)}}
    )
    # Set afterwards: a kernel manager given at the start is never shut down by nbclient.
    client.km = AsyncKernelManager()
    client.km._kernel_spec = KernelSpec(**jupyter.kernelspec(SITE))
    client.execute(env=os.environ | {"JPY_SESSION_NAME": LAB.notebook.name})
    return {cell.id: cell for cell in notebook.cells}


def text(cell: nbformat.NotebookNode) -> str:
    """What a cell printed and displayed, as text."""
    parts = [out.get("text") or out.get("data", {}).get("text/plain", "") for out in cell.outputs]
    return "\n".join(parts)


@pytest.fixture
def notebook(kind_cluster: Any) -> Iterator[nbformat.NotebookNode]:
    """The committed notebook, and a lab without the Pods of an earlier run."""
    pods = [str(LAB.names[key]) for key in ("pod", "bare", "ready_only", "live_only")]
    remove = ("-n", LAB.namespace, "delete", "pod", *pods, "--ignore-not-found", "--now")
    kind_cluster.kubectl(*remove)
    yield nbformat.read(LAB.notebook, as_version=4)
    kind_cluster.kubectl(*remove)


def test_the_notebook_with_the_solution_runs_to_its_end(
    notebook: nbformat.NotebookNode, tmp_path: Path
) -> None:
    solution = (LAB.solution / "web.yaml").read_text(encoding="utf-8")
    for cell in notebook.cells:
        for prediction, choice in CHOICES.items():
            asked = f'predict("{prediction}"'
            cell.source = cell.source.replace(f"{asked})", f"{asked}, {choice})")
        if cell.id == "task-1-yours":
            cell.source = f"%%bash\nkubectl apply -f - <<'EOF'\n{solution}\nEOF\n"
    cells = run(notebook, tmp_path)
    assert "answers with 200" in text(cells["hurt-start"])
    assert "running" in text(cells["hurt-ask"])
    assert "no answer" in text(cells["hurt-ask"])
    observed = text(cells["observe-1"]) + text(cells["observe-2-3"])
    observed = text(cells["observe-1"]) + text(cells["observe-2-3"])
    recorded = re.findall(r"^ +recorded +(\d)  ", observed, re.MULTILINE)
    assert dict(zip(TRUTH, map(int, recorded), strict=True)) == TRUTH
    assert "Killing" in text(cells["events-read"])
    assert "/fail" in text(cells["events-previous"])
    assert text(cells["check-1"]).startswith("02.1  done")
    assert all("text/html" in out.data for out in cells["check-1"].outputs)


def test_the_untouched_notebook_runs_to_its_end_and_is_not_done(
    notebook: nbformat.NotebookNode, tmp_path: Path
) -> None:
    cells = run(notebook, tmp_path)
    assert text(cells["check-1"]).startswith("02.1  not done")
