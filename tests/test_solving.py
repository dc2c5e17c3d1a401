"""`solve` and `goto`: the reference is applied, recorded, and the learner's labs are left alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import COURSE, FakeCluster, pod
from test_learner import cluster, site

from kubelab import answers, learner, report, resetting, solving
from kubelab.answers import NotApplied
from kubelab.cli import main
from kubelab.commands import goto, solve
from kubelab.errors import EnvironmentFault, UsageError
from kubelab.objects import meta
from kubelab.site import Site

__all__ = ["cluster", "site"]

Applied = list[tuple[str, ...]]


@pytest.fixture
def course(site: Site, tmp_path: Path) -> Site:
    """A course of the labs 88, 89 and 90; the reference of 90 has a file for 90.2 alone."""
    root = tmp_path / "course"
    shutil.copytree(COURSE, root, ignore=shutil.ignore_patterns("__pycache__"))
    tiny = root / "labs" / "90-tiny"
    for number in ("88", "89"):
        folder = shutil.copytree(tiny, root / "labs" / f"{number}-tiny")
        text = (folder / "lab.yaml").read_text(encoding="utf-8")
        (folder / "lab.yaml").write_text(text.replace('"90.', f'"{number}.'), encoding="utf-8")
    two = tiny / "solution" / "two.yaml"
    two.write_text("# 90.2: the label.\n" + (tiny / "solution" / "web.yaml").read_text())
    object.__setattr__(site, "root", root)
    return site


@pytest.fixture
def applied(course: Site, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> Applied:
    """The files that were applied, call by call."""
    calls: Applied = []
    monkeypatch.setattr(solving, "connect", lambda _: cluster)
    monkeypatch.setattr(resetting, "connect", lambda _: cluster)
    for command in (solve, goto):
        monkeypatch.setattr(command, "here", lambda: course)

    def apply(files: list[Path], kubeconfig: Path) -> None:
        assert kubeconfig.is_file()
        calls.append(tuple(f"{one.parent.parent.name[:2]}/{one.name}" for one in files))

    monkeypatch.setattr(answers, "apply", apply)
    return calls


def test_a_lab_is_solved_with_all_files_in_order(course: Site, applied: Applied) -> None:
    done = solving.solve(course, "90")
    assert applied == [("90/two.yaml", "90/web.yaml")]
    assert done.tasks == ("90.1", "90.2", "90.3")


def test_a_task_is_solved_with_the_file_that_names_it(course: Site, applied: Applied) -> None:
    assert solving.solve(course, "90.2").tasks == ("90.2",)
    assert applied == [("90/two.yaml",)]
    assert report.hints_used(course.work, "90.2") == 4
    assert report.hints_used(course.work, "90.1") == 0


def test_a_task_without_a_file_of_its_own_is_usage(course: Site, applied: Applied) -> None:
    with pytest.raises(UsageError, match=r"no file for task 90\.1 alone") as raised:
        solving.solve(course, "90.1")
    assert raised.value.look == "./lab solve 90"
    assert applied == []


def test_the_learners_objects_are_saved_first(
    course: Site, applied: Applied, cluster: FakeCluster
) -> None:
    learner.start(course, "90")
    cluster.put("Pod", pod(), "lab-90")
    done = solving.solve(course, "90")
    assert done.saved is not None
    assert "name: web" in done.saved.read_text(encoding="utf-8")


def test_a_lab_that_is_not_started_is_started(
    course: Site, applied: Applied, cluster: FakeCluster
) -> None:
    assert solving.solve(course, "90").saved is None
    assert learner.started(cluster, "lab-90")


def test_a_reference_that_is_refused_is_the_courses_fault(
    course: Site, applied: Applied, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise NotApplied("web.yaml ended with code 1: exceeded quota")

    monkeypatch.setattr(answers, "apply", refuses)
    with pytest.raises(EnvironmentFault, match=r"was not taken: .*exceeded quota"):
        solving.solve(course, "90")


def test_solve_asks_and_says_what_it_has_done(
    course: Site,
    applied: Applied,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert main(["solve", "90.2"]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "look: ./lab solve 90.2 --yes"
    assert applied == []
    assert main(["solve", "90.2", "--yes"]) == 0
    assert "The course has solved 90.2 in namespace lab-90." in capsys.readouterr().out


# goto


def test_goto_solves_the_labs_before_and_starts_the_one(
    course: Site, applied: Applied, cluster: FakeCluster
) -> None:
    assert main(["goto", "90"]) == 0
    assert applied == [("88/web.yaml",), ("89/web.yaml",)]
    assert all(learner.started(cluster, f"lab-{number}") for number in ("88", "89", "90"))
    assert report.hints_used(course.work, "89.1") == 4
    assert report.hints_used(course.work, "90.1") == 0


def test_goto_leaves_the_learners_started_labs_alone(
    course: Site, applied: Applied, cluster: FakeCluster
) -> None:
    learner.start(course, "88")
    told: list[str] = []
    solving.goto(course, "90", told.append)
    assert applied == [("89/web.yaml",)]
    assert told[0] == "Lab 88 is started: it is left as it is."


def test_an_interrupted_goto_goes_on(
    course: Site, applied: Applied, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply: Callable[..., None] = answers.apply

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(answers, "apply", interrupted)
    with pytest.raises(KeyboardInterrupt):
        solving.goto(course, "90")
    monkeypatch.setattr(answers, "apply", apply)
    solving.goto(course, "90")
    assert applied == [("88/web.yaml",), ("89/web.yaml",)]
    annotations = meta(cluster.get("Namespace", "lab-88") or {})["annotations"]
    assert solving.BUILDING not in annotations


def test_goto_of_the_first_lab_is_a_start(course: Site, applied: Applied) -> None:
    assert solving.goto(course, "88").number == "88"
    assert applied == []
