"""The ladder of hints: which comes next, what is recorded, what the last check found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakes import COURSE, TinySite

from kubelab import hints, report
from kubelab.cli import main
from kubelab.commands import hint
from kubelab.errors import UsageError
from kubelab.labs import find
from kubelab.site import Site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    found = TinySite(root=COURSE)
    object.__setattr__(found, "folder", tmp_path / "work")
    monkeypatch.setattr(hint, "here", lambda: found)
    return found


def result(site: Site, verdict: str, **more: Any) -> None:
    report.append(site.results, [{"check": "90.1", "verdict": verdict, "student": ""} | more])


def test_each_time_there_is_one_more_until_the_last(site: Site) -> None:
    rungs = [hints.following(site, "90.1").rung for _ in range(4)]
    assert rungs == [1, 2, 3, 3]
    assert report.hints_used(site.work, "90.1") == 3
    assert len(list(report.read(site.work / hints.FILE))) == 3


def test_again_shows_what_was_seen_and_nothing_new(site: Site) -> None:
    hints.following(site, "90.1")
    hints.following(site, "90.1")
    again = hints.following(site, "90.1", again=True)
    assert again.hints == ("Look at the Pod.", "It is not ready.")
    assert report.hints_used(site.work, "90.1") == 2


def test_again_before_the_first_shows_and_records_the_first(site: Site) -> None:
    assert hints.following(site, "90.1", again=True).rung == 1
    assert report.hints_used(site.work, "90.1") == 1


def test_what_the_last_check_found_stands_in_front(site: Site) -> None:
    result(site, "fail", found="pod/web   ready: no", reason="not-ready")
    lines = hints.text(hints.following(site, "90.1")).splitlines()
    assert lines == [
        "90.1  hint 1 of 3",
        "  found    pod/web   ready: no",
        "  1        Look at the Pod.",
    ]


@pytest.mark.parametrize(
    ("verdict", "more"),
    [
        ("pass", {"found": None}),
        ("env", {"found": "The prober is down."}),
        ("fail", {"found": None, "reason": "not-started"}),
        ("fail", {"found": "ann's", "student": "ann"}),
    ],
)
def test_nothing_is_said_of_a_check_that_was_not_refused(
    site: Site, verdict: str, more: dict[str, Any]
) -> None:
    result(site, verdict, **more)
    assert hints.following(site, "90.1").found is None


def test_the_newest_check_counts(site: Site) -> None:
    result(site, "fail", found="no Pod")
    result(site, "pass", found=None)
    assert hints.following(site, "90.1").found is None


def test_a_seen_reference_counts_as_more_than_every_hint(site: Site) -> None:
    hints.solution_seen(site, find(COURSE, "90"), ["90.1"], "solve")
    (line,) = report.read(site.work / hints.FILE)
    assert (line["task"], line["rung"], line["solution"]) == ("90.1", 4, "solve")
    assert report.hints_used(site.work, "90.1") == 4
    assert hints.following(site, "90.1").rung == 3


def test_an_unknown_task_is_told_with_the_known_ones(site: Site) -> None:
    with pytest.raises(UsageError, match=r"no task 90\.9; lab 90 has 90\.1"):
        hints.following(site, "90.9")
    assert not (site.work / hints.FILE).exists()


def test_the_command_prints_text_or_json(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hint", "90.1"]) == 0
    assert "hint 1 of 3" in capsys.readouterr().out
    assert main(["hint", "90.1", "--again", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "task": "90.1", "rung": 1, "hints": ["Look at the Pod."], "of": 3, "found": None
    }  # fmt: skip


def test_a_hint_for_a_whole_lab_is_usage(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hint", "90"]) == 2
    err = capsys.readouterr().err
    assert "A hint is for one task" in err
    assert err.splitlines()[-1] == "look: ./lab hint 90.1"
