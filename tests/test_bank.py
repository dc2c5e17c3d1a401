"""The answer bank: what is tried, how it is judged, and that nothing is left behind."""

from __future__ import annotations

import itertools
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fakes import COURSE, FakeCluster

from kubelab import answers, bank, labs, report, tools
from kubelab.answers import NotApplied, Place
from kubelab.bank import Row, Trial
from kubelab.errors import UsageError
from kubelab.site import ROOT, Site

RIGHT, WRONG = "# pass\n", "# 90.2 fail wrong-label\n"
NAMESPACED = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: default}\n"


@pytest.fixture
def lab(tmp_path: Path) -> labs.Lab:
    folder = tmp_path / "course" / "labs" / "90-tiny"
    shutil.copytree(COURSE / "labs" / "90-tiny", folder)
    for path, text in {
        "bank/right-plain.yaml": RIGHT,
        "bank/wrong-label.yaml": WRONG,
        "bank/wrong-place.yaml": "# 90.1 fail wrong-namespace\n" + NAMESPACED,
        "bank/wrong-history.sh": "#!/bin/bash\n# 90.1 not_yet unsettled\n",
        "solution/a.yaml": "kind: Pod\n",
        "solution/b.sh": "kubectl get pods\n",
    }.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    return labs.load(folder)


class Ground:
    """Where answers are tried: nothing but a list of what was done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
        self.site = site
        self.done: list[str] = []
        self.refused: str | None = None
        self.cluster = FakeCluster(site)
        monkeypatch.setattr(answers, "place", self.place)
        monkeypatch.setattr(answers, "apply", self.apply)
        monkeypatch.setattr(bank, "connect", lambda _: self.cluster)
        monkeypatch.setattr(bank, "take_back", lambda files, _: self.done.append("taken back"))

    @contextmanager
    def place(self, site: Site, lab: labs.Lab, name: str, folder: Path) -> Iterator[Place]:
        try:
            yield Place(site, lab, f"{name}-lab-{lab.number}", folder / "kubeconfig")
        finally:
            self.done.append(f"removed {name}")

    def apply(self, files: tuple[Path, ...], kubeconfig: Path) -> None:
        if self.refused and any(self.refused in file.name for file in files):
            raise NotApplied(f"{self.refused} ended with code 1: no such field")


@pytest.fixture
def ground(monkeypatch: pytest.MonkeyPatch, lab: labs.Lab) -> Ground:
    return Ground(monkeypatch, Site(root=lab.root))


def record(check: str, verdict: str, reason: str | None = None) -> dict[str, Any]:
    return {
        "check": check, "verdict": verdict, "reason": reason, "lab": "90", "title": "T.",
        "earned": 0, "points": 1, "wanted": "x", "found": "y", "near": [], "chain": [],
        "events": [], "log": [], "why": "It matters.", "look": "kubectl get pods",
    }  # fmt: skip


def as_expected(place: Place, trial: Trial) -> list[dict[str, Any]]:
    """A machinery without a fault."""
    answer = trial.answer
    if answer is None:
        return [record(task, "fail", "not-found") for task in trial.lab.tasks]
    if answer.task is None:
        return [record(task, "pass") for task in trial.lab.tasks]
    return [record(answer.task, answer.verdict, answer.reason)]


def tried(ground: Ground, lab: labs.Lab, check: bank.Check = as_expected) -> list[Row]:
    told: list[Row] = []
    rows = bank.run(ground.site, bank.trials(lab), told.append, jobs=2, check=check)
    assert rows == told
    return sorted(rows, key=lambda row: (row.kind, row.name, row.task or ""))


def test_the_start_the_reference_and_every_answer_are_tried(lab: labs.Lab) -> None:
    found = [one.answer.name if one.answer else "start" for one in bank.trials(lab)]
    assert found[:2] == ["start", "solution"]
    assert found[2:] == ["right-plain", "wrong-history", "wrong-label", "wrong-place"]
    assert [file.name for file in bank.trials(lab)[1].files][:2] == ["a.yaml", "b.sh"]


def test_answers_are_chosen_by_name(lab: labs.Lab) -> None:
    assert [one.selector for one in bank.trials(lab, only="*label")] == ["90.2"]


def test_the_short_bank_has_of_each_task_wrong_answers_of_different_reasons(lab: labs.Lab) -> None:
    for name, first in {
        "right-a": "# pass", "right-b": "# pass",
        "wrong-a": "# 90.2 fail wrong-label", "wrong-b": "# 90.2 fail wrong-label",
        "wrong-x": "# 90.2 fail not-found", "wrong-y": "# 90.3 fail not-found",
    }.items():  # fmt: skip
        (lab.bank / f"{name}.yaml").write_text(f"{first}\n")
    found = [one.answer.name if one.answer else "start" for one in bank.short(bank.trials(lab))]
    assert found == [
        "start", "solution", "right-a", "right-b", "wrong-a", "wrong-b", "wrong-history",
        "wrong-place", "wrong-x", "wrong-y",
    ]  # fmt: skip
    found = [one.answer.name if one.answer else "start" for one in bank.shortest(bank.trials(lab))]
    assert found == ["start", "solution", "right-a", "wrong-a", "wrong-history", "wrong-y"]


@pytest.mark.parametrize("number", [one.number for one in labs.every(ROOT) if one.bank.is_dir()])
def test_the_shortest_bank_of_every_lab_touches_every_task(number: str) -> None:
    lab = labs.find(ROOT, number)
    kept = [one.answer for one in bank.shortest(bank.trials(lab))]
    assert kept.count(None) == 1
    assert sum(one is not None and one.task is None for one in kept) == 2
    assert sorted(one.task for one in kept if one is not None and one.task) == list(lab.tasks)


@pytest.mark.parametrize("number", [one.number for one in labs.every(ROOT) if one.bank.is_dir()])
def test_the_short_bank_of_every_lab_touches_every_task(number: str) -> None:
    lab = labs.find(ROOT, number)
    kept = [one.answer for one in bank.short(bank.trials(lab))]
    assert kept.count(None) == 1
    assert sum(one is not None and one.task is None for one in kept) >= 3
    wrong = [(one.task, one.reason) for one in kept if one is not None and one.task]
    assert len(wrong) >= 8
    for task in lab.tasks:
        reasons = {reason for where, reason in wrong if where == task}
        known = {one.reason for one in answers.every(lab.bank) if one.task == task}
        assert len(reasons) == min(len(known), bank.wrong_a_task(len(lab.tasks))), task


@pytest.mark.parametrize("inside", ["", "90-tiny", "90-tiny/bank", "90"])
def test_answers_may_be_kept_elsewhere(lab: labs.Lab, tmp_path: Path, inside: str) -> None:
    folder = tmp_path / "mine" / inside
    folder.mkdir(parents=True)
    (folder / "other.yaml").write_text(WRONG)
    (found,) = bank.trials(lab, tmp_path / "mine")
    assert found.files == (folder / "other.yaml",)


def test_an_answer_for_a_task_that_is_none_is_refused(lab: labs.Lab, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("# 90.7 fail not-found\n")
    with pytest.raises(UsageError, match=r"no task 90\.7"):
        bank.trials(lab, tmp_path)


def test_a_right_answer_is_checked_on_every_task_and_a_wrong_one_on_its_own(lab: labs.Lab) -> None:
    found = {one.answer.name if one.answer else "start": one.selector for one in bank.trials(lab)}
    assert found["start"] == found["solution"] == found["right-plain"] == "90"
    assert found["wrong-history"] == "90.1"


def test_all_as_expected_is_exit_code_0(ground: Ground, lab: labs.Lab) -> None:
    rows = tried(ground, lab)
    assert [row.name for row in rows if row.kind == "start"] == ["start"] * 3
    assert all(row.held for row in rows)
    assert bank.exit_code(rows) == 0
    assert bank.rates(rows) == (
        "wrong answers that passed: 0 of 6",
        "right answers that failed: 0 of 2",
    )


def test_the_json_is_a_row_an_answer_and_for_the_start_a_row_a_task(
    ground: Ground, lab: labs.Lab
) -> None:
    rows = [row.as_json(lab.root) for row in tried(ground, lab)]
    assert {tuple(row) for row in rows} == {
        (
            "lab", "task", "kind", "file", "expected", "given",
            "reason_expected", "reason_given", "seconds", "first",
        )
    }  # fmt: skip
    right = next(row for row in rows if row["file"] == "labs/90-tiny/bank/right-plain.yaml")
    assert (right["task"], right["kind"], right["expected"], right["given"]) == (
        None,
        "right",
        "pass",
        "pass",
    )
    start = [row for row in rows if row["kind"] == "start"]
    assert [(row["task"], row["file"]) for row in start] == [
        ("90.1", None),
        ("90.2", None),
        ("90.3", None),
    ]


def test_a_wrong_answer_that_passes_is_misjudged(ground: Ground, lab: labs.Lab) -> None:
    def blind(place: Place, trial: Trial) -> list[dict[str, Any]]:
        if trial.answer and trial.answer.name == "wrong-label":
            return [record("90.2", "pass")]
        return as_expected(place, trial)

    rows = tried(ground, lab, blind)
    assert [row.name for row in rows if not row.held] == ["wrong-label"]
    assert bank.exit_code(rows) == 1
    assert bank.rates(rows)[0] == "wrong answers that passed: 1 of 6"


def test_a_wrong_answer_that_fails_for_another_reason_is_misjudged(
    ground: Ground, lab: labs.Lab
) -> None:
    def vague(place: Place, trial: Trial) -> list[dict[str, Any]]:
        return [one | {"reason": "not-met"} for one in as_expected(place, trial)]

    rows = tried(ground, lab, vague)
    assert {row.name for row in rows if not row.held} == {
        "wrong-history",
        "wrong-label",
        "wrong-place",
    }


def test_a_right_answer_fails_with_the_text_of_the_task_that_failed(
    ground: Ground, lab: labs.Lab
) -> None:
    def strict(place: Place, trial: Trial) -> list[dict[str, Any]]:
        records = as_expected(place, trial)
        if trial.answer and trial.answer.name == "right-plain":
            records[1] = record("90.2", "fail", "wrong-label")
        return records

    rows = tried(ground, lab, strict)
    (bad,) = [row for row in rows if not row.held]
    assert (bad.given, bad.reason_given) == ("fail", "wrong-label")
    assert bad.text.startswith("90.2  not done")
    assert bank.rates(rows)[1] == "right answers that failed: 1 of 2"


def test_a_right_answer_needs_a_verdict_on_every_task(ground: Ground, lab: labs.Lab) -> None:
    def short(place: Place, trial: Trial) -> list[dict[str, Any]]:
        return as_expected(place, trial)[:1]

    rows = tried(ground, lab, short)
    assert {row.given for row in rows if row.kind == "right"} == {"env"}


def test_a_broken_environment_is_no_verdict_and_exit_code_4(ground: Ground, lab: labs.Lab) -> None:
    def away(place: Place, trial: Trial) -> list[dict[str, Any]]:
        return [record(task, "env", "environment") for task in trial.lab.tasks]

    rows = tried(ground, lab, away)
    assert bank.exit_code(rows) == 4
    assert bank.rates(rows)[1:] == (
        "right answers that failed: 0 of 2",
        "without a verdict at the first try: 8 of 8",
    )


@pytest.mark.parametrize("verdict", ["env", "not_yet"])
def test_an_answer_without_a_verdict_is_tried_once_more_and_said(
    ground: Ground, lab: labs.Lab, verdict: str
) -> None:
    asked: list[str] = []

    def busy_at_first(place: Place, trial: Trial) -> list[dict[str, Any]]:
        if trial.answer and trial.answer.name == "wrong-label":
            asked.append(place.namespace)
            if len(asked) == 1:
                return [record("90.2", verdict, "unsettled")]
        return as_expected(place, trial)

    rows = tried(ground, lab, busy_at_first)
    assert bank.exit_code(rows) == 0
    assert len(set(asked)) == 2
    assert [row.name for row in rows if row.first] == ["wrong-label"]
    assert bank.rates(rows)[2] == "without a verdict at the first try: 1 of 8"


def test_a_verdict_is_never_asked_for_twice(ground: Ground, lab: labs.Lab) -> None:
    asked: list[str] = []

    def blind(place: Place, trial: Trial) -> list[dict[str, Any]]:
        asked.append(trial.answer.name if trial.answer else "start")
        return [record(task, "pass") for task in trial.lab.tasks]

    rows = tried(ground, lab, blind)
    assert len(asked) == len(set(asked))
    assert not any(row.first for row in rows)
    assert bank.exit_code(rows) == 1


def test_an_answer_that_can_not_be_given_is_broken_and_stops_no_other(
    ground: Ground, lab: labs.Lab
) -> None:
    ground.refused = "wrong-label"
    rows = tried(ground, lab)
    (bad,) = [row for row in rows if not row.held]
    assert (bad.given, bad.text) == ("env", "wrong-label ended with code 1: no such field")
    # One was taken back, and one was tried twice.
    assert len(ground.done) == len(bank.trials(lab)) + 2


def test_an_answer_that_reaches_elsewhere_is_tried_last_and_taken_back(
    ground: Ground, lab: labs.Lab
) -> None:
    order: list[str] = []

    def noted(place: Place, trial: Trial) -> list[dict[str, Any]]:
        order.append(trial.answer.name if trial.answer else "start")
        return as_expected(place, trial)

    tried(ground, lab, noted)
    assert order[-1] == "wrong-place"
    assert ground.done[-2:] == ["taken back", "removed bank5"]


def test_ctrl_c_removes_what_was_begun_and_begins_nothing_more(
    ground: Ground, lab: labs.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    monkeypatch.setattr(bank, "Event", lambda: stop)
    checks = itertools.count()

    def interrupted(row: Row) -> None:
        raise KeyboardInterrupt

    def one_then_wait(place: Place, trial: Trial) -> list[dict[str, Any]]:
        # The second answer is under way when the key is pressed, however busy the machine is.
        if next(checks):
            assert stop.wait(30)
        return as_expected(place, trial)

    with pytest.raises(KeyboardInterrupt):
        bank.run(ground.site, bank.trials(lab), interrupted, jobs=1, check=one_then_wait)
    removed = [one for one in ground.done if one.startswith("removed")]
    assert 1 <= len(removed) <= 2


def test_what_a_crash_left_is_removed_at_the_next_start(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("bank0-lab-90", "bank12-lab-90", "bank1-lab-91", "bankers-lab-90", "anna-lab-90")
    for name in names:
        labels = {"kubelab.dev/lab": name[-2:]}
        ground.cluster.put("Namespace", {"metadata": {"name": name, "labels": labels}})
    bank.clear(ground.site, {"lab-90"})
    left = {name for kind, _, name in ground.cluster.stored if kind == "Namespace"}
    assert left == {"bank1-lab-91", "bankers-lab-90", "anna-lab-90", "lab-90"}


def test_a_check_is_run_as_a_command_and_leaves_no_result(
    ground: Ground, lab: labs.Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[list[str]] = []

    def records_of(words: list[str], site: Site) -> list[dict[str, Any]]:
        asked.append(words)
        return []

    monkeypatch.setattr(bank, "records_of", records_of)
    bank.checked(Place(ground.site, lab, "bank0-lab-90", tmp_path), bank.trials(lab)[2])
    assert asked == [
        ["kubelab.runner", "--namespace", "bank0-lab-90", "--no-record", "--json", "90"]
    ]


def test_a_module_that_says_nothing_is_told_with_its_error(ground: Ground) -> None:
    with pytest.raises(ValueError, match=r"No module named kubelab\.nonesuch"):
        bank.records_of(["kubelab.nonesuch"], Site())


def test_taking_back_uses_the_answers_own_rights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f'#!/bin/sh\necho "$KUBECONFIG $*" >> {log}\n')
    kubectl.chmod(0o755)
    monkeypatch.setattr(tools, "kubectl", lambda: kubectl)
    bank.take_back([tmp_path / "x.yaml"], tmp_path / "kubeconfig")
    assert log.read_text().startswith(f"{tmp_path}/kubeconfig delete --now")


def test_a_row_is_json() -> None:
    row = Row("90", None, "right", Path("/elsewhere/a.yaml"), "pass", "pass", seconds=1.234)
    assert json.loads(json.dumps(row.as_json(Path("/course"))))["file"] == "/elsewhere/a.yaml"
    assert report.WIDTH == 80
