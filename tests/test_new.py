"""`./lab new`: a lab that passes the machinery's own tests, and overwrites nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kubelab import answers, labs, scaffold
from kubelab.commands import new
from kubelab.errors import UsageError
from kubelab.site import ROOT

LEFT_OUT = shutil.ignore_patterns("__pycache__", "states", "e2e", "faults", ".*")
README = """\
| lab | you learn | minutes |
| --- | --- | --- |
| [02 Pods](notebooks/02-pods.ipynb) | Pods | 45 |
| [09 Volumes](notebooks/09-volumes.ipynb) | Volumes | 45 |
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of no lab at all."""
    (tmp_path / "labs").mkdir()
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    return tmp_path


def test_everything_that_a_lab_has_is_made_and_told(course: Path) -> None:
    files = scaffold.make(course, "5", "config-maps")
    lab = labs.find(course, "05")
    assert (lab.title, list(lab.tasks)) == ("Config maps", ["05.1"])
    assert lab.checks.is_file()
    assert lab.notebook in files
    assert labs.problems(lab.folder) == []
    assert all("@NN@" not in path.read_text() for path in files)


def test_its_bank_has_a_right_and_a_wrong_answer(course: Path) -> None:
    scaffold.make(course, "05", "config")
    lab = labs.find(course, "05")
    found = {one.name: (one.kind, one.task, one.reason) for one in answers.every(lab.bank)}
    assert found == {
        "right-plain": ("right", None, None),
        "wrong-image": ("wrong", "05.1", "wrong-image"),
    }
    assert [file.name for file in answers.solution(lab)] == ["hello.yaml"]


def test_the_readme_lists_it_in_its_place(course: Path) -> None:
    scaffold.make(course, "05", "config", title="Configuration")
    rows = (course / "README.md").read_text().splitlines()
    assert [row[3:5] for row in rows[2:]] == ["02", "05", "09"]
    assert rows[3] == "| [05 Configuration](notebooks/05-config.ipynb) | say it here | 30 |"


@pytest.mark.parametrize("name", [("05", "Config"), ("5x", "config"), ("05", "../evil"), ("", "")])
def test_a_name_that_is_none_is_refused(course: Path, name: tuple[str, str]) -> None:
    with pytest.raises(UsageError):
        scaffold.make(course, *name)
    assert list((course / "labs").iterdir()) == []


def test_nothing_is_overwritten(course: Path) -> None:
    scaffold.make(course, "05", "config")
    with pytest.raises(UsageError, match="Lab 05 is there already: 05-config"):
        scaffold.make(course, "05", "other")
    notebook = course / "notebooks" / "06-other.ipynb"
    notebook.write_text("mine")
    with pytest.raises(UsageError, match=r"06-other\.ipynb is there already"):
        scaffold.make(course, "06", "other")
    assert notebook.read_text() == "mine"
    assert not (course / "labs" / "06-other").exists()


def test_it_passes_the_tests_of_every_lab(tmp_path: Path) -> None:
    """In a copy of this checkout, with the project's own tests of labs, notebooks and docs."""
    copy = tmp_path / "course"
    for name in ("kubelab", "tests", "labs", "checks", "notebooks", "docs", "bench"):
        shutil.copytree(ROOT / name, copy / name, ignore=LEFT_OUT)
    for name in ("README.md", "CONTRIBUTING.md", "LICENSE", "pyproject.toml"):
        shutil.copy(ROOT / name, copy / name)
    free = next(f"{n:02}" for n in range(99, 0, -1) if not list(copy.glob(f"labs/{n:02}-*")))
    environment = {**os.environ, "PYTHONPATH": str(copy)}

    def run(*words: str) -> str:
        told = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, f"{told.stdout[-3000:]}{told.stderr}"
        return told.stdout

    assert f"made     labs/{free}-made-anew/lab.yaml\n" in run("kubelab", "new", free, "made-anew")
    tests = ["tests/test_labs.py", "tests/test_notebooks.py", "tests/test_docs.py"]
    passed = run("pytest", "-q", "-k", "made-anew", *tests)
    assert " passed" in passed


def test_the_examples_are_of_this_command() -> None:
    assert all(example.startswith("./lab new 20 ") for example in new.EXAMPLES)
