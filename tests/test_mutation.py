"""Mutation: each assert is removed once, and an answer has to notice it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes import COURSE, FakeCluster, pod
from test_bank import Ground, as_expected, ground, lab

from kubelab import bank, labs, mutation, plugin
from kubelab.mutation import Mutant
from kubelab.site import ROOT, Site

__all__ = ["ground", "lab"]

TEXT = '''\
from kubelab.checking import task


@task("90.1")
def test_one(lab):
    """One."""
    assert lab.a, "a"
    for pod in lab.pods:
        assert (
            pod.b
            == 2
        )
    assert "ä" == lab.c; assert lab.d


def helper(x):
    assert x


@task("90.2")
def test_two(lab):
    assert lab.e
'''


def test_every_assert_of_every_check_is_removed_once() -> None:
    found = [(one.task, one.line, one.removed) for one in mutation.mutants(TEXT)]
    assert found == [
        ("90.1", 7, "assert lab.a, 'a'"),
        ("90.1", 9, "assert pod.b == 2"),
        ("90.1", 13, "assert 'ä' == lab.c"),
        ("90.1", 13, "assert lab.d"),
        ("90.2", 22, "assert lab.e"),
    ]
    assert [one.removed for one in mutation.mutants(TEXT, "90.2")] == ["assert lab.e"]


def test_what_is_left_is_the_same_file_without_the_assert() -> None:
    whole = TEXT.splitlines()
    for one in mutation.mutants(TEXT):
        compile(one.text, "mutant", "exec")
        lines = one.text.splitlines()
        assert len(lines) == len(whole)
        assert "pass" in lines[one.line - 1]
    assert mutation.mutants(TEXT)[2].text.splitlines()[12] == "    pass; assert lab.d"


def test_each_assert_notes_that_it_is_reached(tmp_path: Path) -> None:
    file = tmp_path / "reached"
    text = mutation.marked(TEXT, mutation.mutants(TEXT), file)
    compile(text, "marked", "exec")
    lines = text.splitlines()
    assert len(lines) == len(TEXT.splitlines())
    assert f"Path({str(file)!r}).write_text('1'); assert (" in lines[8]
    assert [lines[12].count(f"write_text('{number}')") for number in (2, 3)] == [1, 1]
    assert lines[12].endswith("; assert lab.d")


def test_the_checks_of_the_course_have_asserts_to_remove() -> None:
    for one in labs.every(ROOT):
        found = mutation.mutants(one.checks.read_text(encoding="utf-8"))
        assert {mutant.task for mutant in found} == set(one.tasks)


def test_a_mutant_that_an_answer_notices_is_held_and_the_others_survive(
    ground: Ground, lab: labs.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Mutant("90.2", 20, "assert a"), Mutant("90.2", 21, "assert b")
    monkeypatch.setattr(mutation, "mutants", lambda text: [first, second])
    checks = lab.checks
    checks.parent.mkdir(exist_ok=True)
    checks.write_text(TEXT)
    asked: list[str] = []

    def records_of(words: list[str], site: Site) -> list[dict[str, Any]]:
        asked.append(words[-1])
        trial = next(one for one in bank.trials(lab) if one.answer and one.answer.task == words[-1])
        given = {first.name: ("fail", "wrong-label"), second.name: ("fail", "wrong-label")}
        if words[-1] == "90.2":
            given[second.name] = ("pass", None)
        else:
            given = {}
        records = as_expected(None, trial)  # type: ignore[arg-type]
        return [{"records": records, "given": given}]

    monkeypatch.setattr(bank, "records_of", records_of)
    rows, survived = mutation.run(ground.site, lab, bank.trials(lab), lambda row: None, jobs=1)
    assert set(asked) == {"90.1", "90.2"}, "right answers are left out"
    assert {row.kind for row in rows} == {"wrong"}
    assert survived == [first]


def test_a_task_is_checked_whole_and_without_the_assert_at_which_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(root=COURSE)
    cluster = FakeCluster(site, namespace="bank0-lab-90")
    body = pod()
    body["metadata"]["labels"] = {"app": "webb"}
    cluster.put("Pod", body, "bank0-lab-90")
    monkeypatch.setattr(plugin, "connect", lambda _: cluster)
    found = mutation.judged(site, labs.find(COURSE, "90"), "bank0-lab-90", "90.2")
    assert [one["reason"] for one in found["records"]] == ["wrong-label"]
    ((name, given),) = found["given"].items()
    assert "label" in name
    assert given[0] in ("pass", "not_yet"), "it is noticed"
    assert not site.results.exists()


def test_the_score_is_a_sentence() -> None:
    survived = [Mutant("90.1", 3, "assert x")]
    assert mutation.score(8, survived) == "asserts that an answer misses: 7 of 8 (88%)"
    assert mutation.score(0, []) == "asserts that an answer misses: 0 of 0 (0%)"
