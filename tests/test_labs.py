"""The labs as data, and the rules that a lab keeps."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pytest
import yaml
from fakes import COURSE

from kubelab import answers, labs
from kubelab.errors import UsageError
from kubelab.site import ROOT

ALL = list(labs.every(ROOT))


def test_there_are_labs() -> None:
    assert "02" in [lab.number for lab in ALL]


@pytest.mark.parametrize("number", ["90", "90-tiny", "90.1"])
def test_a_lab_is_found_by_number_slug_or_task(number: str) -> None:
    assert labs.find(COURSE, number).slug == "90-tiny"


def test_an_unknown_lab_or_task_is_told_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no lab 07; the course has 90"):
        labs.find(COURSE, "07")
    with pytest.raises(UsageError, match=r"no task 90\.9; lab 90 has 90\.1"):
        labs.find(COURSE, "90").task("90.9")


def test_every_path_follows_from_the_slug() -> None:
    lab = labs.find(COURSE, "90")
    assert lab.namespace == "lab-90"
    assert lab.checks == COURSE / "checks" / "test_90_tiny.py"
    assert lab.notebook == COURSE / "notebooks" / "90-tiny.ipynb"
    assert lab.points == 4
    assert lab.attributes().pod == "web"


@pytest.mark.parametrize("lab", ALL, ids=lambda lab: lab.slug)
def test_lab_yaml_keeps_its_schema(lab: labs.Lab) -> None:
    assert labs.problems(lab.folder) == []


@pytest.mark.parametrize("lab", ALL, ids=lambda lab: lab.slug)
def test_a_lab_holds_nothing_but_what_belongs_there(lab: labs.Lab) -> None:
    known = {"lab.yaml", "lab.zh.yaml", "start", "solution", "bank"}
    assert {path.name for path in lab.folder.iterdir()} <= known
    assert lab.checks.is_file()


@pytest.mark.parametrize("lab", ALL, ids=lambda lab: lab.slug)
def test_no_hint_holds_two_consecutive_lines_of_the_solution(lab: labs.Lab) -> None:
    files = answers.solution(lab)
    assert files
    for file in files:
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
        pairs = [" ".join(pair) for pair in itertools.pairwise(lines) if all(pair)]
        for task in lab.tasks.values():
            hints = " ".join(" ".join(task.hints).split())
            assert not [pair for pair in pairs if pair in hints]


@pytest.mark.parametrize("lab", ALL, ids=lambda lab: lab.slug)
def test_a_prediction_chooses_among_its_choices(lab: labs.Lab) -> None:
    for one in lab.predictions.values():
        kinds = {"pod", "service", "deployment", "ingress", "route", "job"}
        (kind,) = kinds & set(one.observe)
        assert one.observe[kind] in lab.names
        for outcome in one.observe["outcomes"]:
            assert outcome["choice"] <= len(one.choices)


@pytest.mark.parametrize("lab", ALL, ids=lambda lab: lab.slug)
def test_every_check_belongs_to_a_task_and_says_its_sentence(lab: labs.Lab) -> None:
    # A long sentence takes two lines of a docstring.
    text = " ".join(lab.checks.read_text(encoding="utf-8").split())
    for task in lab.tasks.values():
        assert f'@task("{task.id}")' in text
        assert f'"""{task.sentence}"""' in text


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"colour": "red"}, "colour"),
        ({"minutes": 500}, "500"),
        ({"tasks": {"91.1": {}}}, "does not belong to lab 90"),
    ],
)
def test_a_malformed_lab_is_refused(
    change: dict[str, object], complaint: str, tmp_path: Path
) -> None:
    folder = tmp_path / "90-tiny"
    shutil.copytree(COURSE / "labs" / "90-tiny", folder)
    data = yaml.safe_load((folder / "lab.yaml").read_text()) | change
    (folder / "lab.yaml").write_text(yaml.safe_dump(data))
    assert complaint in " ".join(labs.problems(folder))
