"""A lab's notebook run as JupyterLab would, and what its cells said."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_async
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete

from kubelab import jupyter
from kubelab.labs import Lab
from kubelab.site import here


@contextmanager
def unstarted(lab: Lab, kind_cluster: Any) -> Iterator[nbformat.NotebookNode]:
    """The committed notebook, and a lab that was not started; its namespace is removed afterwards.

    It is waited for: what a run did must not meet the next one.
    """
    remove = ("delete", "namespace", lab.namespace, "--ignore-not-found", "--timeout=120s")
    kind_cluster.kubectl(*remove)
    yield nbformat.read(lab.notebook, as_version=4)
    kind_cluster.kubectl(*remove)


def choose(cell: nbformat.NotebookNode, choices: Mapping[str, int]) -> None:
    """Write the learner's choice into a cell that asks for a prediction."""
    for prediction, choice in choices.items():
        asked = f'predict("{prediction}"'
        cell.source = cell.source.replace(f"{asked})", f"{asked}, {choice})")


class Client(NotebookClient):
    """Takes an update of a display whichever cell is at work, as JupyterLab does.

    nbclient drops what a thread draws between two cells: the last drawing may be one of those.
    """

    async def _async_poll_output_msg(
        self, parent_msg_id: str, cell: nbformat.NotebookNode, cell_index: int
    ) -> None:
        assert self.kc is not None
        while True:
            message = await ensure_async(self.kc.iopub_channel.get_msg(timeout=None))
            drawn = message["header"]["msg_type"] == "update_display_data"
            if not drawn and message["parent_header"].get("msg_id") != parent_msg_id:
                continue
            try:
                self.process_message(message, cell, cell_index)
            except CellExecutionComplete:
                return


def run(
    lab: Lab, notebook: nbformat.NotebookNode, folder: Path, cell_seconds: int
) -> dict[str, nbformat.NotebookNode]:
    """Run every cell in the course's kernel; the cells by id. A cell that fails raises."""
    client = Client(notebook, timeout=cell_seconds, resources={"metadata": {"path": str(folder)}})
    # Set afterwards: a kernel manager given at the start is never shut down by nbclient.
    client.km = AsyncKernelManager()
    client.km._kernel_spec = KernelSpec(**jupyter.kernelspec(here()))
    client.execute(env=os.environ | {"JPY_SESSION_NAME": lab.notebook.name})
    return {cell.id: cell for cell in notebook.cells}


def text(cell: nbformat.NotebookNode) -> str:
    """What a cell printed and displayed, as text."""
    # A stream comes in pieces that may end within a word.
    parts = [out.get("text") or f"{out.get('data', {}).get('text/plain', '')}\n"
             for out in cell.outputs]  # fmt: skip
    return "".join(parts)
