"""Progress: lines for the terminal, a record for the notebook, time left that is corrected."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kubelab import cluster, columns, engine, language, progress, tools, words
from kubelab.errors import BuildFailed
from kubelab.nodeimage import build, pull
from kubelab.progress import Progress, Stage, human
from kubelab.site import ROOT


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-1, "0 s"),
        (8.4, "8 s"),
        (59.6, "1 min"),
        (130, "2 min 10 s"),
        (840, "14 min"),
        (661, "11 min"),
    ],
)
def test_durations_are_told_as_people_say_them(seconds: float, told: str) -> None:
    assert human(seconds) == told


def test_a_stage_has_a_line_at_its_beginning_and_one_with_its_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = Progress([Stage("a", "First", 60), Stage("b", "Second", 5)])
    with made.stage("a") as stage:
        stage.note = "two of two"
    with made.stage("b") as stage:
        stage.state = "cached"
    assert capsys.readouterr().err.splitlines() == [
        "[1/2] First ... about 1 min",
        "[1/2] First: done in 0 s (two of two)",
        "[2/2] Second ... about 5 s",
        "[2/2] Second: was there in 0 s",
    ]


def test_the_time_left_is_corrected_as_stages_end() -> None:
    made = Progress([Stage("a", "First", 60), Stage("b", "Second", 5)])
    assert made.left() == 65
    with made.stage("a"):
        pass
    assert made.left() == 5


def test_a_stage_past_its_estimate_is_never_told_to_be_done_now() -> None:
    late = Stage("a", "First", 10, state="running", started=0.0)
    assert late.left(now=100.0) == 10.0
    assert late.left(now=4.0) == 6.0


def test_a_slow_machine_is_known_by_the_share_of_a_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress.time, "time", lambda: 0.0)
    slow = Stage("x", "X", 100, state="running", started=0.0)
    slow.tell("compiled 1 of 100", 0.01)
    assert slow.left(now=50.0) == 50.0
    slow.tell("compiled 25 of 100", 0.25)
    assert slow.left(now=50.0) == 150.0
    assert slow.pace(50.0) == 2.0
    assert Stage("y", "Y", 30).left(now=50.0, pace=2.0) == 60.0


def test_a_slow_network_is_no_slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a stage fetches before its work tells nothing of the time that the work takes."""
    monkeypatch.setattr(progress.time, "time", lambda: 120.0)
    made = Progress([Stage("kube", "Kubernetes", 480), Stage("node", "Node", 75)])
    stage = made.stages[0]
    stage.state, stage.started = "running", 0.0
    stage.tell("downloading Go modules")
    assert stage.left(120.0) == 360.0
    stage.tell("compiled 1 of 3200", 1 / 3200)
    monkeypatch.setattr(progress.time, "time", lambda: 168.0)
    stage.tell("compiled 320 of 3200", 0.1)
    assert stage.pace(168.0) == 1.0
    assert made.left() == 480 - 48 + 75


def test_what_comes_after_a_slow_stage_takes_longer_too() -> None:
    made = Progress([Stage("one", "One", 10), Stage("two", "Two", 30)])
    made.stages[0] = Stage("one", "One", 10, "done", started=100.0, ended=120.0, share=1.0)
    assert made.left() == 60.0
    made.stages[0].ended = 105.0
    assert made.left() == 30.0


def test_a_failed_stage_keeps_why(tmp_path: Path) -> None:
    file = tmp_path / "state" / "up.json"
    made = Progress([Stage("a", "First", 60)], file)
    with pytest.raises(BuildFailed), made.stage("a"):
        raise BuildFailed("No space left.")
    record = json.loads(file.read_text())
    assert record["stages"][0]["state"] == "failed"
    assert record["stages"][0]["note"] == "No space left."
    assert record["left"] == 0


def test_stages_that_turn_up_later_come_before_those_that_wait() -> None:
    made = Progress([Stage("a", "A", 1), Stage("b", "B", 1), Stage("z", "Z", 1)])
    with made.stage("a"):
        pass
    made.extend([Stage("m", "M", 1), Stage("b", "B again", 2)])
    assert [stage.name for stage in made.stages] == ["a", "m", "b", "z"]


def test_a_record_of_a_process_that_is_gone_is_called_interrupted(tmp_path: Path) -> None:
    file = tmp_path / "up.json"
    Progress([Stage("a", "A", 1)], file)
    record = progress.read(file)
    assert record is not None
    assert (record["state"], record["pid"]) == ("running", os.getpid())
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    file.write_text(json.dumps(record | {"pid": ended.pid}))
    record = progress.read(file)
    assert record is not None
    assert record["state"] == "interrupted"


def test_after_a_restart_another_process_of_that_number_is_not_taken_for_it(tmp_path: Path) -> None:
    file = tmp_path / "up.json"
    Progress([Stage("a", "A", 1)], file)
    record = json.loads(file.read_text())
    file.write_text(json.dumps(record | {"born": "1"}))
    found = progress.read(file)
    assert found is not None
    assert found["state"] == "interrupted"


def test_half_a_record_or_none_is_none(tmp_path: Path) -> None:
    file = tmp_path / "up.json"
    assert progress.read(file) is None
    file.write_text('{"state": "runn')
    assert progress.read(file) is None


def test_a_process_that_ended_unseen_is_not_alive() -> None:
    zombie = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    assert not progress.alive(zombie.pid)
    zombie.wait()
    assert progress.alive(os.getpid())
    assert not progress.alive(0)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "compiled 3150 of about 3200 packages",
        "waiting for metrics-server, default-backend",
        "starting the nodes again",
        "metrics_server 5/5",
    ],
)
def test_how_far_it_is_stands_in_80_columns(
    note: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the longest time that may be left, for each stage of `up` on its three ways."""
    monkeypatch.setattr(progress, "HEARTBEAT", 0.01)
    monkeypatch.setattr(Progress, "left", lambda _: 59 * 60 + 50.0)
    several = [*engine.stages(), *build.stages(), *pull.stages(), *tools.stages()]
    for stage in [*several, *cluster.stages()]:
        with Progress([stage]).stage(stage.name):
            stage.note = note
            deadline = time.monotonic() + 10
            # The first beat may come before the note does.
            wanted = rf"^ +{re.escape(note or stage.title)}; .* left in all$"
            told, found = "", None
            while found is None and time.monotonic() < deadline:
                told += capsys.readouterr().err
                found = re.search(wanted, told, re.MULTILINE)
        assert found is not None, told
        first = found.group()
        chinese = words.catalogue(language.CHINESE, ROOT).said(first)
        assert chinese != first
        assert max(columns.width(first), columns.width(chinese)) <= 80
