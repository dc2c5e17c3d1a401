"""The committed notebooks, held together with lab.yaml; no cluster is needed."""

import re
from pathlib import Path

import nbformat
import pytest

import kubelab
from kubelab import cells, labs
from kubelab.jupyter_files import INDEX
from kubelab.site import ROOT

PAGES = sorted((ROOT / "notebooks").glob("*.ipynb"))
FILES = [file for file in PAGES if file.name != INDEX]
# What holds for the start page, too.
every_page = pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem, indirect=True)
BANNED = r"\b(simply|just|easy|easily|obviously|powerful|trivial)\b|!(?=\s|$)"


def test_there_are_notebooks_to_look_at() -> None:
    assert {"02-pods.ipynb", INDEX} <= {file.name for file in PAGES}


def test_the_start_page_names_no_lab_and_every_word_of_the_course() -> None:
    page = nbformat.read(ROOT / "notebooks" / INDEX, as_version=nbformat.NO_CONVERT)
    text = "\n".join(cell.source for cell in page.cells)
    for lab in labs.every(ROOT):
        assert lab.title not in text  # It is the map that knows them, from their own files.
    for name in kubelab.__all__:
        assert f"| `{name}(" in text


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def file(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def lab(file: Path) -> labs.Lab:
    return labs.find(ROOT, file.stem)


@pytest.fixture
def notebook(file: Path) -> nbformat.NotebookNode:
    return nbformat.read(file, as_version=nbformat.NO_CONVERT)


@pytest.fixture
def code(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture
def prose(notebook: nbformat.NotebookNode) -> str:
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


@every_page
def test_a_notebook_is_valid_and_names_the_kernel_of_the_course(
    notebook: nbformat.NotebookNode,
) -> None:
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "kubelab"


@every_page
def test_no_output_is_stored(notebook: nbformat.NotebookNode) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None), cell.id


@every_page
def test_cell_ids_are_unique_and_readable(notebook: nbformat.NotebookNode) -> None:
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    for cell_id in ids:
        assert re.fullmatch(r"[a-z]{2,}(-[a-z0-9]+)*", cell_id), cell_id


def test_a_notebook_has_the_size_of_a_lab(notebook: nbformat.NotebookNode) -> None:
    assert 25 <= len(notebook.cells) <= 45


def test_no_section_is_empty(notebook: nbformat.NotebookNode) -> None:
    for cell, following in zip(notebook.cells, [*notebook.cells[1:], None], strict=True):
        if cell.source.startswith("#") and cell.cell_type == "markdown":
            text = cell.source.split("\n", 1)[1:]
            assert text, f"{cell.id}: a heading without a text"
            assert text[0].strip(), f"{cell.id}: a heading without a text"
            assert following is not None, f"{cell.id}: nothing follows the last heading"


@every_page
def test_only_an_empty_cell_of_the_learners_does_nothing(notebook: nbformat.NotebookNode) -> None:
    for cell in notebook.cells:
        assert cell.source.strip(), cell.id


def test_the_title_is_the_labs(notebook: nbformat.NotebookNode, lab: labs.Lab) -> None:
    assert notebook.cells[0].source.startswith(f"# {lab.number} {lab.title}")


@every_page
def test_the_one_import_takes_public_names_of_the_course(code: list[str]) -> None:
    imports = re.findall(r"^from kubelab import (.+)$", "\n".join(code), re.MULTILINE)
    assert len(imports) == 1
    assert set(imports[0].split(", ")) <= set(kubelab.__all__)


def test_the_tasks_and_predictions_are_those_of_lab_yaml(code: list[str], lab: labs.Lab) -> None:
    text = "\n".join(code)
    for call, known in {
        "check": lab.tasks,
        "hint": lab.tasks,
        "predict": lab.predictions,
        "observe": lab.predictions,
    }.items():
        assert set(re.findall(rf'\b{call}\("([^"]+)"', text)) == set(known), call


def test_done_when_is_the_criterion_word_for_word(prose: str, lab: labs.Lab) -> None:
    for task in lab.tasks.values():
        assert f"**You are done when**\n\n- {task.sentence}" in prose


def test_the_objects_in_the_cells_are_named_in_lab_yaml(code: list[str], lab: labs.Lab) -> None:
    known = {str(value) for value in lab.names.values()}
    for cell in code:
        found = set(re.findall(r"^  name: ([a-z0-9-]+)$", cell, re.MULTILINE))
        found |= set(re.findall(r"\bpods?/([a-z0-9-]+)", cell))
        for names in re.findall(r"\b(?:get|delete|describe) pods?((?: [a-z0-9][a-z0-9-]*)+)", cell):
            found |= set(names.split())
        found |= set(re.findall(r"\bimage: (\S+)", cell))
        assert found <= known | {"$1"}, cell


def test_the_namespace_is_the_labs(code: list[str], lab: labs.Lab) -> None:
    assert set(re.findall(r"\blab-\d\d\b", "\n".join(code))) <= {lab.namespace}
    assert f"!lab start {lab.number}" in "\n".join(code)


def test_the_story_before_the_set_up_needs_no_cluster(code: list[str], lab: labs.Lab) -> None:
    setup = next(i for i, cell in enumerate(code) if f"!lab start {lab.number}" in cell)
    assert setup > 0
    assert not any("kubectl" in cell or "kubelab" in cell for cell in code[:setup])


@every_page
def test_every_cell_may_run_in_the_notebook(code: list[str]) -> None:
    for cell in code:
        assert cells.refusal(cell) is None, cell


def test_there_are_a_picture_and_a_table(notebook: nbformat.NotebookNode, prose: str) -> None:
    assert any("```mermaid\n" in cell.source for cell in notebook.cells)
    assert re.search(r"^\| --- \|", prose, re.MULTILINE)


@every_page
def test_a_source_line_of_prose_holds_one_sentence(prose: str) -> None:
    for line in prose.splitlines():
        plain = re.sub(r"`[^`]*`|\]\([^)]*\)|\*\*[^*]*\*\*|^#.*|^\|.*|<[^>]+>", "x", line)
        assert not re.search(r"[.?:] [A-Z]", plain), line


@every_page
def test_prose_is_plain(prose: str) -> None:
    assert not re.findall(BANNED, prose, re.IGNORECASE)
