"""How far the learner is: facts from the results file, the next step, the status as JSON."""

import json
from pathlib import Path
from typing import Any

import pytest

from kubelab import cluster, engine, jupyter, standing
from kubelab.cli import main
from kubelab.commands import status, where
from kubelab.errors import EnvironmentFault
from kubelab.labs import Lab, Task
from kubelab.site import Site

CLUSTER = {
    "name": "kubelab", "context": "kind-kubelab", "kubeconfig": "/k", "version": "v1.37.2",
    "nodes": 3, "node_image": "kubelab/node:1", "http_port": 8080, "https_port": 8443,
}  # fmt: skip
NOTHING = dict.fromkeys(CLUSTER) | {"name": "kubelab"}


def task(id_: str, points: int) -> Task:
    return Task(id_, "02", "It works.", points, "why", "look", ("a", "b", "c"))


LAB = Lab(
    Path("/"), "02-pods", "Pods", 25, "namespace", {},
    {"02.1": task("02.1", 3), "02.2": task("02.2", 2)}, {},
)  # fmt: skip


def facts(**changed: Any) -> standing.Facts:
    jupyter_there = {"url": "http://127.0.0.1:8888/lab", "port": 8888, "pid": 7}
    whole = {
        "cluster": CLUSTER, "engine": {"version": "27.1", "ours": False}, "jupyter": jupyter_there,
        "up": None, "labs": [lab(started=True)], "work": "/course/work",
    }  # fmt: skip
    return whole | changed


def lab(number: str = "02", *, started: bool = False, done: bool = False) -> standing.Facts:
    points = 5 if done else 0
    return {
        "lab": number, "title": "Pods", "started": started, "done": done, "points": points, "of": 5,
        "attempts": 0, "tasks": [],
    }  # fmt: skip


def result(check: str, verdict: str) -> dict[str, str]:
    return {"check": check, "verdict": verdict}


def test_a_task_that_was_once_passed_stays_passed() -> None:
    records = [result("02.1", "fail"), result("02.1", "pass"), result("02.1", "fail")]
    found = standing.standing(LAB, records, started=True)
    assert (found["points"], found["of"], found["done"]) == (3, 5, False)
    found = standing.standing(LAB, [*records, result("02.2", "pass")], started=True)
    assert (found["points"], found["of"], found["done"]) == (5, 5, True)


def test_attempts_and_hints_are_counted_and_a_fault_of_the_course_is_no_attempt() -> None:
    records = [
        result("02.1", "fail"), result("02.1", "env"),
        {"check": "02.1", "verdict": "pass", "hints_used": 2}, result("09.1", "pass"),
    ]  # fmt: skip
    found = standing.standing(LAB, records, started=True)
    first, second = found["tasks"]
    assert (first["attempts"], first["hints"], first["reference"]) == (2, 2, False)
    assert (second["attempts"], second["points"], second["done"]) == (0, 0, False)
    assert found["attempts"] == 2


def test_a_pass_after_the_reference_was_seen_is_marked_and_one_before_it_is_not() -> None:
    seen = {"check": "02.1", "verdict": "pass", "hints_used": 4}
    (first, _) = standing.standing(LAB, [seen], started=True)["tasks"]
    assert first["reference"] is True
    (first, _) = standing.standing(LAB, [result("02.1", "pass"), seen], started=True)["tasks"]
    assert first["reference"] is False


def test_status_shows_the_tasks_of_a_started_lab_and_ends_with_one_command() -> None:
    records = [
        {"check": "02.1", "verdict": "pass", "hints_used": 4},
        {"check": "02.2", "verdict": "fail", "hints_used": 1},
    ]
    lines = status.lines(facts(labs=[standing.standing(LAB, records, started=True)]))
    assert "  02.1      done      3 of 3   1 attempt, 3 hints, with the reference" in lines
    assert "  02.2      not done  0 of 2   1 attempt, 1 hint" in lines
    assert lines[-1] == "  ./lab check 02"
    unknown = status.lines(facts(labs=[standing.standing(LAB, [], started=False)]))
    assert not [line for line in unknown if "02.1" in line]


def test_the_next_step_follows_from_what_is_there() -> None:
    no_jupyter = {"url": None, "port": None, "pid": None}
    up = {"state": "running", "stage": "Cluster", "left": 10.0, "message": ""}
    commands = [
        standing.next_step(one)[1]
        for one in (
            facts(cluster=NOTHING, jupyter=no_jupyter, labs=[lab()]),
            facts(cluster=NOTHING, up=up),
            facts(cluster=NOTHING, up=up | {"state": "failed"}),
            facts(jupyter=no_jupyter),
            facts(labs=[lab()]),
            facts(labs=[lab(), lab("03", started=True)]),
            facts(labs=[lab(started=True)]),
            facts(labs=[lab(done=True), lab("03")]),
            facts(labs=[lab(done=True)]),
        )
    ]
    assert commands == [
        "./lab up", "./lab up", "./lab up", "./lab open", "./lab start 02", "./lab check 03",
        "./lab check 02", "./lab start 03", "./lab down",
    ]  # fmt: skip


def test_where_ends_with_one_command_in_80_columns() -> None:
    lines = where.where(facts())
    assert lines[-1] == "  ./lab check 02"
    assert all(len(line) <= 80 for line in lines)
    up = {"state": "running", "stage": None, "left": 130.0, "message": ""}
    text = "\n".join(where.where(facts(up=up)))
    assert "being made (beginning), 2 min 10 s left" in text


def test_status_as_text_is_within_80_columns() -> None:
    for one in (facts(), facts(cluster=NOTHING, engine={"version": None, "ours": None})):
        lines = status.lines(one)
        assert all(len(line) <= 80 for line in lines)
        assert "lab 02      Pods: started, 0 of 5 points" in lines


def test_without_an_engine_every_part_of_the_status_is_null(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "labs").mkdir()
    monkeypatch.setattr(status, "here", lambda: Site(root=tmp_path))
    monkeypatch.setattr(engine, "find", lambda: None)
    assert main(["status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["cluster"] == NOTHING
    assert set(told["engine"].values()) == {None}
    assert set(told["jupyter"].values()) == {None}
    assert told["labs"] == []


def test_a_part_that_fails_is_absent_and_no_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(*_: Any) -> Any:
        raise EnvironmentFault("broken")

    (tmp_path / "labs").mkdir()
    monkeypatch.setattr(engine, "find", fails)
    monkeypatch.setattr(jupyter, "status", fails)
    monkeypatch.setattr(cluster, "status", lambda site: NOTHING)
    found = standing.gather(Site(root=tmp_path))
    assert found["engine"] == standing.ABSENT_ENGINE
    assert found["jupyter"] == standing.ABSENT_JUPYTER
