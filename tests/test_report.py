"""The record of a result, the results file, and the text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fakes import COURSE

from kubelab import labs, report
from kubelab.evidence import Event, Evidence
from kubelab.verdict import Judgement, Verdict

TASK = labs.find(COURSE, "90").task("90.1")
EVIDENCE = Evidence(
    reason="crash-loop",
    wanted="pod/web   label app=web, ready",
    found="pod/web   label app=web, CrashLoopBackOff",
    chain=(
        "Pod web                    CrashLoopBackOff",
        "└─ container web           CrashLoopBackOff",
    ),
    events=(Event(12.4, "BackOff", "Back-off restarting failed container web", 5),),
    log=("python3: can't open file",),
    near=("lab-90 has Pod `webb`",),
    look="kubectl -n lab-90 logs web -c web --previous",
)
TEXT = """\
90.1  not done                                                     0 of 2 points
Pod `web` is ready.

  wanted   pod/web   label app=web, ready
  found    pod/web   label app=web, CrashLoopBackOff

  Pod web                    CrashLoopBackOff
  └─ container web           CrashLoopBackOff
  12 s ago  BackOff          Back-off restarting failed container web (5 times)

  near     lab-90 has Pod `webb`

  log      python3: can't open file

  why      A Pod that is not ready gets no requests.
  look     kubectl -n lab-90 logs web -c web --previous"""


def record(verdict: Verdict, evidence: Evidence = EVIDENCE, **more: Any) -> report.Record:
    return report.record(TASK, Judgement(verdict), evidence, cluster=None, root=COURSE, **more)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_record_keeps_its_schema(verdict: Verdict) -> None:
    schema = json.loads(report.SCHEMA.read_text(encoding="utf-8"))
    jsonschema.validate(record(verdict), schema)


def test_points_are_earned_by_a_pass_alone() -> None:
    assert [record(one)["earned"] for one in Verdict] == [2, 0, 0, 0]
    assert record(Verdict.PASS)["reason"] is None
    assert record(Verdict.PASS)["course"] == {"version": "7.8.9"}


def test_a_failure_is_told_word_by_word() -> None:
    assert report.text(record(Verdict.FAIL)) == TEXT


def test_a_pass_is_two_lines() -> None:
    first, second = report.text(record(Verdict.PASS)).splitlines()
    assert first.startswith("90.1  done  ")
    assert first.endswith("  2 of 2 points")
    assert second == "Pod `web` is ready."


def test_a_lab_that_was_not_started_is_one_line() -> None:
    text = report.text(record(Verdict.FAIL, Evidence("not-started")))
    assert text == "90.1  not started: ./lab start 90"


def test_what_could_not_be_checked_says_why_and_no_lesson() -> None:
    one = Evidence("environment", message="Node a is not ready.", look="./lab doctor")
    text = report.text(record(Verdict.ENV, one))
    assert "could not check" in text
    assert "  because  Node a is not ready." in text
    assert text.endswith("  look     ./lab doctor")
    assert TASK.why not in text


def test_no_line_is_longer_than_80_columns_but_a_command() -> None:
    long = "word " * 60
    evidence = Evidence(
        reason="crash-loop",
        wanted=long,
        found=long,
        chain=(f"Pod web {long}",),
        events=(Event(90061.0, "Unhealthy", long, 3),),
        log=("x" * 300,),
        look="kubectl " + "x" * 90,
    )
    lines = report.text(record(Verdict.FAIL, evidence)).splitlines()
    assert max(len(line) for line in lines if "look" not in line) <= 80
    assert lines[-1].endswith("x" * 90)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s ago"), (94, "94 s ago"), (600, "10 min ago"), (7300, "2 h ago")]
)
def test_ages_as_people_say_them(seconds: float, words: str) -> None:
    assert report.ago(seconds) == words


def test_results_are_appended_one_a_line(tmp_path: Path) -> None:
    file = tmp_path / "work" / "results.jsonl"
    for verdict in (Verdict.FAIL, Verdict.PASS):
        report.append(file, [record(verdict)])
    assert [one["verdict"] for one in report.read(file)] == ["fail", "pass"]
    assert report.attempts(file, "90.1") == 2
    assert report.attempts(file, "90.2") == 0


def test_a_results_file_cut_in_the_middle_is_mended_and_loses_nothing_whole(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    report.append(file, [record(Verdict.FAIL), record(Verdict.FAIL)])
    file.write_bytes(file.read_bytes()[:-40])
    report.append(file, [record(Verdict.PASS)])
    assert [one["verdict"] for one in report.read(file)] == ["fail", "pass"]
    assert all(json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c"])
def test_a_record_with_another_kind_of_line_break_is_one_record(tmp_path: Path, sign: str) -> None:
    file = tmp_path / "results.jsonl"
    records = [record(Verdict.FAIL) | {"found": f"one{sign}two"}, record(Verdict.PASS)]
    report.append(file, records)
    assert list(report.read(file)) == records
    assert report.attempts(file, "90.1") == 2


def test_attempts_are_counted_by_student(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    report.append(file, [record(Verdict.FAIL) | {"student": "anna"}, record(Verdict.PASS)])
    assert report.attempts(file, "90.1", "anna") == 1
    assert report.attempts(file, "90.1") == 1
    assert report.attempts(file, "90.1", "ben") == 0


def test_a_last_line_that_lacks_its_newline_alone_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    report.append(file, [record(Verdict.FAIL)])
    file.write_bytes(file.read_bytes()[:-1])
    report.append(file, [record(Verdict.PASS)])
    assert [one["verdict"] for one in report.read(file)] == ["fail", "pass"]


def test_the_hints_that_were_shown_are_counted(tmp_path: Path) -> None:
    assert report.hints_used(tmp_path, "90.1") == 0
    lines = [{"task": "90.1", "rung": 1}, {"task": "90.1", "rung": 2}, {"task": "90.2", "rung": 3}]
    text = "".join(json.dumps(one) + "\n" for one in lines)
    (tmp_path / "hints.jsonl").write_text(text + '{"task": "90', encoding="utf-8")
    assert report.hints_used(tmp_path, "90.1") == 2


def test_the_total_of_several_results() -> None:
    assert report.total([record(Verdict.PASS), record(Verdict.FAIL)]) == "2 of 4 points"
