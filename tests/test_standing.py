"""How far the learner is: facts from the results file, the next step, the status as JSON."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from kubelab import cluster, engine, jupyter, standing
from kubelab.cli import main
from kubelab.cluster import free_port
from kubelab.commands import status, where
from kubelab.errors import EnvironmentFault
from kubelab.labs import Lab, Task
from kubelab.progress import Progress, Stage
from kubelab.site import Site

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: kind-kubelab
contexts: [{{name: kind-kubelab, context: {{cluster: kind-kubelab, user: admin}}}}]
clusters: [{{name: kind-kubelab, cluster: {{server: "https://127.0.0.1:{port}"}}}}]
users: [{{name: admin, user: {{token: none}}}}]
"""

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
        "made": True, "up": None, "labs": [lab(started=True)], "work": "/course/work",
    }  # fmt: skip
    return whole | changed


def lab(number: str = "02", *, started: bool = False, done: bool = False) -> standing.Facts:
    points = 5 if done else 0
    return {
        "lab": number, "title": "Pods", "about": "who looks after a program", "minutes": 25,
        "notebook": f"{number}-pods.ipynb", "started": started, "done": done, "points": points,
        "of": 5, "attempts": 0, "tasks": [],
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
    assert "      02.1  done      3 of 3 points  1 attempt, 3 hints, with the reference" in lines
    assert "      02.2  not done  0 of 2 points  1 attempt, 1 hint" in lines
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


def test_whoever_comes_back_is_told_to_bring_the_cluster_back_and_where_to_go_on() -> None:
    several = [lab(done=True), lab("03") | {"attempts": 1}, lab("04")]
    words, command = standing.next_step(facts(cluster=NOTHING, labs=several))
    assert (words, command) == ("Bring the cluster back, and go on with lab 03.", "./lab up")
    words, _ = standing.next_step(facts(cluster=NOTHING, labs=several, made=False))
    assert words == "Make the cluster and open the course."


def test_after_a_restart_of_the_machine_one_command_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The engine is off, JupyterLab is gone, and the numbers of processes are others' by now."""
    site = Site(root=tmp_path)
    (tmp_path / "labs").mkdir()
    site.state.mkdir()
    site.kubeconfig.write_text(KUBECONFIG.format(port=free_port(45_000)))
    runtime = site.state / "jupyter" / "runtime"
    runtime.mkdir(parents=True)
    server = {"pid": os.getppid(), "port": free_port(45_000), "token": "of-yesterday"}
    (runtime / f"jpserver-{os.getppid()}.json").write_text(json.dumps(server))
    Progress([Stage("cluster", "Cluster", 60)], site.progress)
    record = json.loads(site.progress.read_text())
    site.progress.write_text(json.dumps(record | {"pid": os.getppid()}))
    monkeypatch.setattr(where, "here", lambda: site)
    monkeypatch.setattr(engine, "find", lambda: None)
    assert main([]) == 0
    told = capsys.readouterr().out
    assert "  notebooks  not open" in told
    assert told.endswith("  ./lab up\n")


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
        assert "  02  Pods  25 min  begun        0 of 5 points" in lines


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
