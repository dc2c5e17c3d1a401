"""Answers: their first line, and how they are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubelab import answers, tools
from kubelab.answers import NotApplied
from kubelab.errors import UsageError


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("# pass\n", (None, "pass", None)),
        ("# 02.1 fail wrong-label\n", ("02.1", "fail", "wrong-label")),
        ("#!/bin/bash\n# 04.3 not_yet converging\n", ("04.3", "not_yet", "converging")),
    ],
)
def test_the_first_line_says_what_is_expected(
    first: str, expected: tuple[str | None, str, str | None], tmp_path: Path
) -> None:
    file = tmp_path / "answer.yaml"
    file.write_text(first, encoding="utf-8")
    found = answers.read(file)
    assert (found.task, found.verdict, found.reason) == expected


@pytest.mark.parametrize("first", ["", "kind: Pod\n", "# 02.1 fail\n", "# 02.1 maybe no-idea\n"])
def test_another_first_line_is_usage(first: str, tmp_path: Path) -> None:
    file = tmp_path / "answer.yaml"
    file.write_text(first, encoding="utf-8")
    with pytest.raises(UsageError, match=r"the first line is neither .* \(or `not_yet`\)"):
        answers.read(file)


KUBECTL = """#!/bin/bash
echo "$KUBECONFIG $(basename "$PWD") $*" >> "$CALLS"
if [ "$1" = apply ] && [ -n "$SAYS" ] && ! grep -q " delete " "$CALLS"; then
  echo "$SAYS" >&2
  exit 1
fi
"""
FIXED = 'The Pod "polite" is invalid: spec: Forbidden: pod updates may not change fields other than'


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a kubectl of the test's own was called with; it refuses with what SAYS holds."""
    kubectl = tmp_path / "bin" / "kubectl"
    kubectl.parent.mkdir()
    kubectl.write_text(KUBECTL, encoding="utf-8")
    kubectl.chmod(0o755)
    monkeypatch.setattr(tools, "kubectl", lambda: kubectl)
    found = tmp_path / "calls"
    monkeypatch.setenv("CALLS", str(found))
    monkeypatch.setenv("SAYS", "")
    return found


def answer(folder: Path, name: str, text: str = "") -> Path:
    (folder / "bank").mkdir(exist_ok=True)
    file = folder / "bank" / name
    file.write_text(text, encoding="utf-8")
    return file


def test_a_manifest_is_given_through_kubectl(calls: Path, tmp_path: Path) -> None:
    answers.apply([answer(tmp_path, "a.yaml")], Path("/k"))
    assert calls.read_text() == "/k bank apply -f a.yaml\n"


def test_a_history_runs_in_bash_with_the_courses_kubectl_first(calls: Path, tmp_path: Path) -> None:
    script = "kubectl rollout status deployment/web\n"
    answers.apply([answer(tmp_path, "a.sh", script)], Path("/k"))
    assert calls.read_text() == "/k bank rollout status deployment/web\n"


def test_a_history_ends_at_its_first_failure(calls: Path, tmp_path: Path) -> None:
    file = answer(tmp_path, "a.sh", "echo broke >&2\nfalse\nkubectl get pods\n")
    with pytest.raises(NotApplied, match=r"a\.sh ended with code 1: broke"):
        answers.apply([file], Path("/k"))
    assert not calls.exists()


def test_a_pod_that_cannot_be_changed_is_made_anew_and_nothing_else_is(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAYS", FIXED)
    answers.apply([answer(tmp_path, "a.yaml")], Path("/k"))
    assert [line.split()[2:5] for line in calls.read_text().splitlines()] == [
        ["apply", "-f", "a.yaml"],
        ["delete", "pod", "polite"],
        ["apply", "-f", "a.yaml"],
    ]


def test_what_the_cluster_refuses_is_told_in_its_own_words(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAYS", "Error from server (Forbidden): exceeded quota")
    with pytest.raises(NotApplied, match="exceeded quota"):
        answers.apply([answer(tmp_path, "a.yaml")], Path("/k"))
    assert "delete" not in calls.read_text()


def test_an_answer_without_an_end_is_stopped(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "PATIENCE", 0.2)
    with pytest.raises(NotApplied, match="did not end"):
        answers.apply([answer(tmp_path, "a.sh", "exec sleep 30\n")], Path("/k"))


def test_a_job_of_another_spec_is_made_anew_whatever_else_is_wrong_with_it() -> None:
    said = (
        'The Job "flaky" is invalid: \n'
        '* spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed"\n'
        "* spec.podFailurePolicy: Invalid value: {}: field is immutable\n"
    )
    assert answers.FIXED.findall(said) == [("Job", "flaky")]
    assert not answers.FIXED.findall('The Job "flaky" is invalid: spec.template: Required value')
