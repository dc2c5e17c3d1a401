"""Result records as JUnit XML: the usual schema, and what pytest itself writes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from kubelab import junit, report

# The usual schema (Jenkins' xunit-plugin, junit-10.xsd), as far as anything here is used.
ATTRIBUTES = {
    "testsuites": set(),
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "testcase": {"classname", "name", "time"},
    "properties": set(),
    "property": {"name", "value"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"properties", "failure", "error"},
    "properties": {"property"},
    "property": set(),
    "failure": set(),
    "error": set(),
}


def record(
    check: str, verdict: str, reason: str | None = None, student: str = ""
) -> dict[str, Any]:
    passed = verdict == "pass"
    return {
        "at": "2026-11-24T12:00:00.123Z", "student": student, "lab": check[:2], "check": check,
        "title": "Pod `web` is <ready> & well.", "verdict": verdict, "reason": reason,
        "points": 2, "earned": 2 if passed else 0, "wanted": None if passed else "ready",
        "found": "not ready", "near": [], "chain": [], "events": [], "log": ["a\x1b[31mb\x00"],
        "why": "It matters.", "look": "kubectl get pods", "seconds": 0.25,
    }  # fmt: skip


SEVERAL = [
    record("90.1", "pass", student="anna"),
    record("90.2", "fail", "wrong-label", student="anna"),
    record("90.1", "not_yet", "unsettled", student="bo"),
    record("90.2", "env", "environment", student="bo"),
]


def parsed(records: list[dict[str, Any]]) -> ElementTree.Element:
    return ElementTree.fromstring(junit.text(records).encode())


def test_it_keeps_the_usual_schema() -> None:
    for element in parsed(SEVERAL).iter():
        assert set(element.attrib) == ATTRIBUTES[element.tag]
        assert {child.tag for child in element} <= CHILDREN[element.tag]
    for suite in parsed(SEVERAL):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", ""))
        for count in ("tests", "failures", "errors", "skipped"):
            assert suite.get(count, "").isdigit()
        assert float(suite.get("time", "")) == pytest.approx(0.5)


def test_a_suite_a_student_with_its_counts() -> None:
    found = [
        (one.get("name"), one.get("tests"), one.get("failures"), one.get("errors"))
        for one in parsed(SEVERAL)
    ]
    assert found == [("lab-90.anna", "2", "1", "0"), ("lab-90.bo", "2", "1", "1")]


def test_a_task_is_a_case_with_verdict_and_reason() -> None:
    case = parsed(SEVERAL)[0][1]
    assert (case.get("classname"), case.get("name")) == (
        "lab-90.anna",
        "90.2 Pod `web` is <ready> & well.",
    )
    properties = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert properties == {"verdict": "fail", "reason": "wrong-label", "points": "2", "earned": "0"}


def test_what_the_learner_reads_is_the_failures_text() -> None:
    failure = parsed(SEVERAL)[0][1].find("failure")
    assert failure is not None
    assert failure.get("message") == "not done: wrong-label"
    assert "  wanted   ready" in (failure.text or "")
    assert "a?[31mb?" in (failure.text or ""), "signs that XML can't hold are replaced"


def test_it_is_english_whatever_the_readers_language_is(monkeypatch: pytest.MonkeyPatch) -> None:
    english = junit.text(SEVERAL)
    monkeypatch.setenv("KUBELAB_LANG", "zh")
    assert report.text(SEVERAL[1]).startswith("90.2  未完成")
    assert junit.text(SEVERAL) == english
    assert report.text(SEVERAL[1]).startswith("90.2  未完成")


def test_a_pass_has_neither_failure_nor_error_and_what_moves_is_a_failure() -> None:
    tags = [
        [one.tag for one in case if one.tag != "properties"]
        for case in parsed(SEVERAL).iter("testcase")
    ]
    assert tags == [[], ["failure"], ["failure"], ["error"]]


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    file = tmp_path / "reports" / "lab.xml"
    junit.write(file, SEVERAL)
    assert ElementTree.parse(file).getroot().tag == "testsuites"
    assert [path.name for path in file.parent.iterdir()] == ["lab.xml"]
    assert file.read_text().startswith('<?xml version="1.0" encoding="utf-8"?>\n')
