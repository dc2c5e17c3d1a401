"""The labs in Chinese: nothing is missing, nothing outdated, and code is the same bytes."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from kubelab import labs, translation
from kubelab.cli import main
from kubelab.jupyter_files import INDEX
from kubelab.site import ROOT

# Labs that wait for their Chinese, and modules whose phrases do; take a name out when it is done.
WAITING_LABS: tuple[str, ...] = ()
WAITING_MODULES: tuple[str, ...] = ()

ALL = list(labs.every(ROOT))
DONE = [lab for lab in ALL if lab.number not in WAITING_LABS]
NOTEBOOKS = sorted((ROOT / "notebooks" / "zh").glob("*.ipynb"))


def test_there_are_labs_in_chinese() -> None:
    assert {"00", "02", "03", "04", "05", "06"} <= {lab.number for lab in DONE}


@pytest.mark.parametrize("lab", DONE, ids=lambda lab: lab.slug)
def test_a_lab_is_whole_and_up_to_date_in_chinese(lab: labs.Lab) -> None:
    assert list(translation.problems(ROOT, lab)) == []


def test_the_start_page_is_whole_and_up_to_date_in_chinese() -> None:
    assert list(translation.notebook_problems(ROOT, INDEX)) == []


@pytest.mark.parametrize("lab", ALL, ids=lambda lab: lab.slug)
def test_a_lab_that_waits_has_no_chinese_yet(lab: labs.Lab) -> None:
    there = translation.text_file(lab).exists() or (
        translation.notebook_file(ROOT, lab.notebook.name).exists()
    )
    assert there is (lab.number not in WAITING_LABS)


def test_everything_that_is_said_is_in_the_catalogue_and_nothing_else() -> None:
    assert list(translation.word_problems(ROOT, waiting=WAITING_MODULES)) == []


# The notebooks


@pytest.fixture(params=NOTEBOOKS, ids=lambda file: file.stem)
def file(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def notebook(file: Path) -> nbformat.NotebookNode:
    return nbformat.read(file, as_version=nbformat.NO_CONVERT)


def told(notebook: nbformat.NotebookNode) -> str:
    """The prose of a notebook, blocks of code left out."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


@pytest.fixture
def prose(notebook: nbformat.NotebookNode) -> str:
    return told(notebook)


def test_a_chinese_notebook_is_valid_and_has_an_english_one(
    notebook: nbformat.NotebookNode, file: Path
) -> None:
    nbformat.validate(notebook)
    assert (ROOT / "notebooks" / file.name).is_file()


@pytest.mark.parametrize("lab", DONE, ids=lambda lab: lab.slug)
def test_the_criterion_and_the_title_are_those_of_the_labs_text(lab: labs.Lab) -> None:
    file = translation.notebook_file(ROOT, lab.notebook.name)
    text = told(nbformat.read(file, as_version=nbformat.NO_CONVERT))
    pieces = translation.translated(lab)
    assert text.startswith(f"# {lab.number} {pieces['title']}：")
    for task in lab.tasks:
        assert f"**完成的标准**\n\n- {pieces[f'tasks.{task}.sentence']}" in text


def test_a_source_line_of_chinese_prose_holds_one_sentence(file: Path) -> None:
    """Its strings of JSON are its source lines: they are put together without a line break."""
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    lines = [line for one in cells if one["cell_type"] == "markdown" for line in one["source"]]
    text = re.sub(r"```.*?```", "", "\n".join(lines), flags=re.DOTALL)
    for line in text.splitlines():
        if not line.startswith("|"):
            plain = re.sub(r"\*\*[^*]*\*\*|`[^`]*`", "", line).rstrip()
            assert not re.search(r"[。？！](?=[^”）])", plain), line


def test_no_line_break_stands_in_a_chinese_paragraph(prose: str) -> None:
    """A browser shows it as a space, and there is none after a Chinese sign."""
    assert not re.findall(r"[。？；：，、）”]\n(?!\n|[-|] |\d+\. |$)", prose)


def test_chinese_prose_keeps_to_chinese_signs(prose: str) -> None:
    plain = re.sub(r"`[^`]*`|\]\([^)]*\)", "", prose)
    assert not re.findall(r"[\u4e00-\u9fff][,;:!?]|[\u4e00-\u9fff]\.(?!\w)", plain)
    assert "！" not in plain


def test_links_lead_to_the_chinese_documentation(prose: str, file: Path) -> None:
    links = re.findall(r"\]\((https://kubernetes\.io[^)]*)\)", prose)
    assert links or file.name == INDEX
    assert all(link.startswith("https://kubernetes.io/zh-cn/") for link in links)


# What is found


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A copy of lab 02 in both languages, to be damaged."""
    lab = labs.find(ROOT, "02")
    shutil.copytree(lab.folder, tmp_path / "labs" / lab.slug)
    (tmp_path / "notebooks" / "zh").mkdir(parents=True)
    for folder in ("notebooks", "notebooks/zh"):
        name = lab.notebook.name
        shutil.copy(ROOT / folder / name, tmp_path / folder / name)
    return tmp_path


@pytest.fixture
def lab(course: Path) -> labs.Lab:
    return labs.load(course / "labs" / "02-pods")


def found(course: Path, lab: labs.Lab) -> str:
    return "\n".join(translation.problems(course, lab))


def change(file: Path, how: Any) -> None:
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    how(data)
    file.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")


def cell(file: Path, cell_id: str, how: Any) -> None:
    data = json.loads(file.read_text(encoding="utf-8"))
    how(next(one for one in data["cells"] if one["id"] == cell_id), data["cells"])
    file.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")


def test_nothing_is_wrong_with_the_copy(course: Path, lab: labs.Lab) -> None:
    assert found(course, lab) == ""


@pytest.mark.parametrize(
    ("english", "how", "complaint"),
    [
        (True, lambda data: data["tasks"]["02.1"].update(why="Another reason."), "02.1.why is out"),
        (True, lambda data: data.update(title="Pods again"), "title is outdated"),
        (
            True,
            lambda data: data["predictions"]["02.p4"]["observe"]["outcomes"][1].update(
                because="It took {seconds_to_end} s."
            ),
            "predictions.02.p4.because.2 is outdated",
        ),
        (False, lambda data: data["tasks"]["02.2"].pop("sentence"), "02.2.sentence is missing"),
        (False, lambda data: data["tasks"]["02.3"]["hints"].pop(), "02.3.hints.3 is missing"),
        (False, lambda data: data["tasks"].update({"02.9": {"why": "为什么"}}), "no English piece"),
        (False, lambda data: data["tasks"]["02.1"].update(points=3), "points"),
        (False, lambda data: data["tasks"]["02.1"].update(sentence="Pod 就绪。"), "lacks `web`"),
        (
            False,
            lambda data: data["predictions"]["02.p4"].update(because=["用了很久。"] * 3),
            "has other places than {seconds_to_end}",
        ),
    ],
)
def test_a_damaged_text_is_found_by_its_place(
    course: Path, lab: labs.Lab, english: bool, how: Any, complaint: str
) -> None:
    change(lab.folder / ("lab.yaml" if english else "lab.zh.yaml"), how)
    assert complaint in found(course, lab)


@pytest.mark.parametrize(
    ("folder", "cell_id", "how", "complaint"),
    [
        ("", "bare", lambda one, _: one.update(source="New."), "cell bare is outdated"),
        ("zh", "bare", lambda one, _: one["metadata"].clear(), "cell bare is not translated yet"),
        ("zh", "bare-apply", lambda one, _: one["source"].append("#"), "bare-apply differs"),
        ("zh", "check-1", lambda one, cells: cells.remove(one), "cell check-1 is missing"),
        ("zh", "bare", lambda one, _: one.update(id="other"), "other has no English cell"),
        ("zh", "check-1", lambda _, cells: cells.reverse(), "in another order"),
        ("zh", "check-1", lambda one, _: one.update(execution_count=3), "holds an output"),
    ],
)
def test_a_damaged_notebook_is_found_by_its_cell(
    course: Path, lab: labs.Lab, folder: str, cell_id: str, how: Any, complaint: str
) -> None:
    cell(course / "notebooks" / folder / "02-pods.ipynb", cell_id, how)
    assert complaint in found(course, lab)


def test_an_outdated_piece_is_not_said(course: Path, lab: labs.Lab) -> None:
    sentence = lab.task("02.1").sentence
    assert sentence in translation.pairs(lab)
    change(lab.folder / "lab.yaml", lambda data: data["tasks"]["02.1"].update(sentence="Anew."))
    assert "Anew." not in translation.pairs(lab)


def test_a_translation_begins_in_english_and_is_accepted_piece_by_piece(
    course: Path, lab: labs.Lab
) -> None:
    text = translation.text_file(lab)
    text.unlink()
    shutil.rmtree(course / "notebooks" / "zh")
    assert "is missing" in found(course, lab)
    assert len(translation.begin(course, lab)) == 2
    assert translation.begin(course, lab) == []
    assert translation.accept(course, lab) == []
    assert translation.translated(lab) == translation.english(lab)
    change(text, lambda data: data["tasks"]["02.1"].update(why="因为。"))
    file = course / "notebooks" / "zh" / "02-pods.ipynb"
    cell(file, "bare", lambda one, _: one.update(source=["## 没有人询问\n", "\n", "它没有探针。"]))
    assert translation.accept(course, lab) == ["tasks.02.1.why", "bare"]
    left = found(course, lab)
    assert "02.1.why" not in left
    assert "cell bare " not in left
    assert "cell setup is not translated yet" in left


def test_accepting_a_whole_lab_changes_nothing(course: Path, lab: labs.Lab) -> None:
    files = [translation.text_file(lab), course / "notebooks" / "zh" / "02-pods.ipynb"]
    before = [file.read_text(encoding="utf-8") for file in files]
    assert translation.accept(course, lab) == []
    assert [file.read_text(encoding="utf-8") for file in files] == before


def test_the_command_says_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["translate", "02"]) == 0
    assert capsys.readouterr().out == "Nothing is missing or outdated.\n"
    assert main(["translate", "--begin"]) == 2
