"""The names that a notebook imports, on a miniature course and without a cluster."""

import json
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import fakes
import pytest

import kubelab
from kubelab import comparison, notebook, notebook_watch, report, resetting
from kubelab.errors import NoCluster
from kubelab.site import Site

LAB = """
title: Small
minutes: 20
rights: namespace
names: {pod: web}
tasks:
  "09.1":
    sentence: Pod `web` is ready.
    points: 1
    why: Because it is so.
    look: kubectl -n {namespace} get pods
    hints: [Look at the Pod., It has no label., Add the label in its metadata.]
predictions:
  "09.p1":
    question: What does the Pod do?
    choices: [It stays as it is., It is restarted.]
    observe:
      pod: pod
      after: [{restarts: ">=1"}, {ready: false}]
      pending: Make it fail first.
      outcomes:
        - {choice: 1, when: {restarts: 0, ready: true}}
        - {choice: 2, when: {restarts: ">=1", ready: true}, because: The kubelet started it again.}
"""


def pod(restarts: int, ready: bool) -> dict[str, Any]:
    return {
        "metadata": {"name": "web", "uid": "u-1", "creationTimestamp": "2026-11-01T10:00:00Z"},
        "status": {
            "phase": "Running",
            "conditions": [
                {
                    "type": "Ready",
                    "status": str(ready),
                    "lastTransitionTime": "2026-11-01T10:00:20Z",
                }
            ],
            "containerStatuses": [
                {
                    "name": "server",
                    "restartCount": restarts,
                    "state": {"running": {"startedAt": "2026-11-01T10:00:10Z"}},
                }
            ],
        },
    }


class FakeCluster:
    """A cluster with one Pod, or with none."""

    def __init__(self, body: dict[str, Any] | None) -> None:
        self.body = body

    def get(self, kind: str, name: str, namespace: str) -> dict[str, Any] | None:
        assert (kind, name, namespace) == ("Pod", "web", "lab-09")
        return self.body

    def objects(self, kind: str, namespace: str, *, fields: str) -> list[dict[str, Any]]:
        assert (kind, namespace, fields) == ("Event", "lab-09", "involvedObject.uid=u-1")
        return []


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    folder = tmp_path / "labs" / "09-small"
    folder.mkdir(parents=True)
    (folder / "lab.yaml").write_text(textwrap.dedent(LAB))
    made = Site(root=tmp_path)
    monkeypatch.setattr(notebook, "here", lambda: made)
    monkeypatch.setattr(notebook.predictions, "PATIENCE", 0.0)
    return made


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    fake = FakeCluster(pod(restarts=0, ready=True))
    monkeypatch.setattr(sys.modules["kubelab.api"], "connect", lambda site: fake)
    return fake


def test_the_public_names_are_there() -> None:
    names = ["check", "diff", "hint", "observe", "predict", "reset", "status", "topology", "watch"]
    assert kubelab.__all__ == names
    for name in kubelab.__all__:
        assert getattr(kubelab, name) is getattr(notebook, name)
    assert set(kubelab.__all__) <= set(dir(kubelab))
    with pytest.raises(AttributeError, match="no attribute 'solve'"):
        _ = kubelab.solve


def test_importing_the_package_loads_nothing_else() -> None:
    program = (
        "import sys; before = set(sys.modules); import kubelab;"
        "print(*sorted(m for m in set(sys.modules) - before if '.' not in m))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "kubelab" in loaded
    assert not loaded & {"IPython", "kubernetes", "pytest", "subprocess", "yaml"}


def test_each_call_shows_one_more_hint(capsys: pytest.CaptureFixture[str], site: Site) -> None:
    shown = []
    for _ in range(4):
        notebook.hint("09.1")
        shown.append(capsys.readouterr().out)
    assert "hint 1 of 3" in shown[0]
    assert "no label" not in shown[0]
    assert "It has no label." in shown[1]
    assert "Add the label" not in shown[1]
    assert "Add the label" in shown[2]
    assert shown[3] == shown[2]
    assert report.hints_used(site.work, "09.1") == 3


def test_a_question_is_asked_before_it_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    notebook.predict("09.p1")
    out = capsys.readouterr().out
    assert out.splitlines() == [
        "09.p1  What does the Pod do?",
        "  1  It stays as it is.",
        "  2  It is restarted.",
        "",
        'Answer with a number: predict("09.p1", 1)',
    ]


def test_a_prediction_is_kept_and_answers_nothing(
    capsys: pytest.CaptureFixture[str], site: Site
) -> None:
    notebook.predict("09.p1", 1)
    assert capsys.readouterr().out == "09.p1  kept: 1  It stays as it is.\n"
    (line,) = (site.work / "predictions.jsonl").read_text().splitlines()
    assert json.loads(line)["choice"] == 1


@pytest.mark.parametrize("choice", [0, 3, "2", True])
def test_a_choice_that_is_none_is_refused_in_words(
    capsys: pytest.CaptureFixture[str], choice: Any
) -> None:
    notebook.predict("09.p1", choice)
    assert "has the choices 1 to 2" in capsys.readouterr().out


def test_observe_waits_for_the_doing(
    capsys: pytest.CaptureFixture[str], cluster: FakeCluster
) -> None:
    notebook.observe("09.p1")
    assert "nothing to observe yet: Make it fail first." in capsys.readouterr().out
    cluster.body = None
    notebook.observe("09.p1")
    assert "nothing to observe yet: Pod web is not there." in capsys.readouterr().out


def test_observe_sets_the_prediction_beside_the_record(
    capsys: pytest.CaptureFixture[str], cluster: FakeCluster
) -> None:
    cluster.body = pod(restarts=2, ready=True)
    notebook.predict("09.p1", 1)
    capsys.readouterr()
    notebook.observe("09.p1")
    out = capsys.readouterr().out
    assert "  predicted  1  It stays as it is. (chosen 0 s ago)\n" in out
    assert "recorded   2  It is restarted." in out
    assert "restarts 2" in out
    assert "The kubelet started it again." in out


def test_observe_looks_again_while_a_container_is_on_its_way(
    capsys: pytest.CaptureFixture[str], cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_its_way = pod(restarts=1, ready=True)
    on_its_way["status"]["containerStatuses"][0]["state"] = {"waiting": {}}
    bodies = iter([on_its_way, pod(restarts=7, ready=True)])
    monkeypatch.setattr(notebook.predictions, "PATIENCE", 5.0)
    monkeypatch.setattr(cluster, "get", lambda *_: next(bodies))
    notebook.observe("09.p1")
    assert "restarts 7" in capsys.readouterr().out


def test_a_known_choice_is_not_kept_back_by_a_container_that_ends_again_and_again(
    capsys: pytest.CaptureFixture[str],
    cluster: FakeCluster,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = site.root / "labs" / "09-small" / "lab.yaml"
    text = file.read_text(encoding="utf-8")
    patient = text.replace("      pending:", "      patience: 60\n      pending:")
    assert patient != text
    file.write_text(patient, encoding="utf-8")
    too_early, waiting = pod(restarts=0, ready=False), pod(restarts=1, ready=True)
    waiting["status"]["containerStatuses"][0]["state"] = {"waiting": {}}
    bodies = iter([too_early, waiting])
    monkeypatch.setattr(cluster, "get", lambda *_: next(bodies))
    notebook.observe("09.p1")
    assert "recorded   2  It is restarted." in capsys.readouterr().out


def test_observe_says_when_no_choice_came_true(
    capsys: pytest.CaptureFixture[str], cluster: FakeCluster
) -> None:
    cluster.body = pod(restarts=0, ready=False)
    notebook.observe("09.p1")
    out = capsys.readouterr().out
    assert "none of the choices" in out
    assert "nothing was chosen" in out


def test_half_a_line_in_the_learners_files_is_passed_over(site: Site) -> None:
    site.work.mkdir()
    (site.work / "predictions.jsonl").write_text(
        '{"prediction": "09.p1", "choice": 2, "at": 1}\n{"pre'
    )
    (site.work / "hints.jsonl").write_text('{"task": "09.1", "rung": 2}\n{"ta')
    assert report.hints_used(site.work, "09.1") == 2
    kept = notebook.predictions.kept(site.work / "predictions.jsonl", "09.p1")
    assert kept
    assert kept.number == 2


@pytest.mark.parametrize("call", [notebook.hint, notebook.predict, notebook.observe])
@pytest.mark.parametrize("name", ["09.9", "44.1", "x"])
def test_a_name_that_is_not_there_is_said_in_words(
    capsys: pytest.CaptureFixture[str], call: Any, name: str
) -> None:
    call(name)
    assert "There is no " in capsys.readouterr().out


def test_an_error_of_the_environment_is_a_sentence_and_a_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(site: Site) -> None:
        raise NoCluster("The course's cluster is not there.", look="./lab up")

    monkeypatch.setattr(sys.modules["kubelab.api"], "connect", connect)
    notebook.observe("09.p1")
    assert capsys.readouterr().out.splitlines() == [
        "The course's cluster is not there.",
        "  look       ./lab up",
    ]


def test_a_bug_of_the_course_is_not_the_learners(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["kubelab.api"], "connect", lambda site: None)
    notebook.observe("09.p1")
    assert "a fault of the course, not yours: AttributeError" in capsys.readouterr().out


# The lab that is meant


def test_the_lab_is_the_notebooks_else_the_one_started_last(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "work/09-small.ipynb")
    assert notebook._number(site, None) == "09"
    assert notebook._number(site, "3") == "3"
    monkeypatch.delenv("JPY_SESSION_NAME")
    notebook.topology()
    assert 'Name the lab, as in `topology("09")`.' in capsys.readouterr().out
    site.current_kubeconfig.parent.mkdir(parents=True)
    site.current_kubeconfig.symlink_to("09/kubeconfig")
    assert notebook._number(site, None) == "09"


def test_topology_prints_what_is_in_the_namespace(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = fakes.FakeCluster(site, namespace="lab-09")
    fake.put("Pod", pod(restarts=0, ready=True), "lab-09")
    monkeypatch.setattr(sys.modules["kubelab.api"], "connect", lambda site: fake)
    notebook.topology("09")
    out = capsys.readouterr().out
    assert out.startswith("Namespace lab-09\n")
    assert "Selected by no Service" in out
    assert "<svg" not in out


def test_watch_returns_at_once_and_draws_in_the_background(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = fakes.FakeCluster(site, namespace="lab-09")
    fake.put("Pod", pod(restarts=0, ready=True), "lab-09")
    monkeypatch.setattr(sys.modules["kubelab.api"], "connect", lambda site: fake)
    started = []
    real = notebook_watch.start
    monkeypatch.setattr(
        notebook_watch, "start", lambda *args: started.append(real(*args)) or started[0]
    )
    notebook.watch("pod/web", "09")
    fake.stored.pop(("Pod", "lab-09", "web"))
    (watcher,) = started
    watcher.stopped.set()
    watcher.join(10)
    assert not watcher.is_alive()
    assert capsys.readouterr().out.startswith("watch  pod/web  looking ...\n")


def test_reset_does_nothing_until_it_is_sure(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = []

    def reset(site: Site, number: str) -> resetting.Reset:
        done.append(number)
        lab = notebook.labs.find(site.root, number)
        return resetting.Reset(lab, lab.namespace, site.work / "09" / "saved.yaml")

    monkeypatch.setattr(resetting, "reset", reset)
    notebook.reset("09")
    out = " ".join(capsys.readouterr().out.split())
    assert "removes namespace lab-09" in out
    assert 'To do it: `reset("09", sure=True)`' in out
    assert done == []
    notebook.reset("09", sure=True)
    assert "Lab 09 is at its start: namespace lab-09." in capsys.readouterr().out
    assert done == ["09"]


def test_diff_shows_the_reference_after_the_lab_or_on_request(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = comparison.Comparison("09", (), ())
    monkeypatch.setattr(comparison, "compare", lambda *_: nothing)
    notebook.diff("09")
    assert 'diff("09", show=True)' in " ".join(capsys.readouterr().out.split())
    notebook.diff("09", show=True)
    assert capsys.readouterr().out.strip() == comparison.text(nothing)


@pytest.mark.parametrize("call", [notebook.topology, notebook.diff, notebook.reset])
def test_a_lab_that_is_not_there_is_said_in_words(
    capsys: pytest.CaptureFixture[str], call: Any
) -> None:
    call("44")
    assert "There is no lab 44" in capsys.readouterr().out


def test_a_cluster_that_is_away_is_said_in_words_by_every_picture(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def connect(site: Site) -> None:
        raise NoCluster("The course's cluster is not there.", look="./lab up")

    monkeypatch.setattr(sys.modules["kubelab.api"], "connect", connect)
    monkeypatch.setattr(notebook_watch, "LONGEST", 0.0)
    notebook.topology("09")
    assert "cluster is not there" in capsys.readouterr().out
    before = set(threading.enumerate())
    notebook.watch("deployment/web", "09")
    for thread in set(threading.enumerate()) - before:
        thread.stopped.set()
        thread.join(10)
    assert "cluster is not there. Looking again." in capsys.readouterr().out
