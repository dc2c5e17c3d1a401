"""`./lab test`: what is run, what the table says, and that the tests' cluster is removed."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import COURSE

from kubelab import cluster, engine, jupyter, testrun
from kubelab.commands import up
from kubelab.errors import BuildFailed, EnvironmentFault, ForeignCluster
from kubelab.progress import Stage
from kubelab.site import ROOT, Site
from kubelab.testrun import Report, Row, Told


@pytest.fixture
def sites(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Both sites in a folder of their own; the folder."""
    monkeypatch.setattr(testrun, "LEARNERS", Site(root=tmp_path))
    monkeypatch.setattr(testrun, "ROOT", tmp_path)
    return tmp_path


class Machine:
    """An engine that is there or not, and what was done on it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log: list[str] = []
        self.runs = True
        self.fault: BaseException | None = None
        self.others: set[str] = set()
        docker = SimpleNamespace()
        monkeypatch.setattr(engine, "find", lambda: docker if self.runs else None)
        monkeypatch.setattr(engine, "connect", lambda: docker)
        monkeypatch.setattr(engine, "stop_ours", lambda: self.log.append("stop engine"))
        monkeypatch.setattr(jupyter, "stop", lambda site: self.log.append(f"jupyter {site.name}"))
        monkeypatch.setattr(cluster, "delete", lambda site, _: self.log.append(f"no {site.name}"))
        monkeypatch.setattr(cluster, "exists", self.exists)
        monkeypatch.setattr(up, "everything", self.everything)
        monkeypatch.setattr(testrun, "pytest", lambda report, name, *_: self.log.append(name))
        monkeypatch.setattr(testrun, "banks", lambda report, site, whole: self.log.append("banks"))
        monkeypatch.setattr(testrun, "looked_at", self.looked_at)

    @contextmanager
    def looked_at(self, report: Report) -> Iterator[None]:
        yield
        self.log.append("look")

    def exists(self, site: Site, docker: Any) -> bool:
        if site.name in self.others:
            raise ForeignCluster(f"The cluster `{site.name}` belongs to the course in /else.")
        return False

    def everything(self, work: up.Work, steps: Any) -> None:
        self.runs = True
        self.log.append(f"up {work.site.name}")
        work.progress.stages = [Stage("kube", "Kubernetes", 1, "cached", "", 1.0, 3.0)]
        if self.fault:
            raise self.fault


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, sites: Path) -> Machine:
    return Machine(monkeypatch)


REMOVED = ["jupyter kubelab-test", "no kubelab-test"]


def test_the_cluster_is_the_tests_own_and_is_removed_at_the_end(machine: Machine) -> None:
    report = Report()
    testrun.on_a_cluster(report, whole_banks=False)
    tests = ["on the cluster", "one by one", "a learner's walk", "look", "banks"]
    assert machine.log == [*REMOVED, "up kubelab-test", *tests, *REMOVED]
    assert "Kubernetes  cached" in report.text()
    assert report.code == 0


def test_a_name_that_another_checkout_holds_is_left_alone(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.others = {"kubelab-test"}
    testrun.on_a_cluster(Report(), whole_banks=False)
    assert "up kubelab-test-2" in machine.log
    assert "no kubelab-test" not in machine.log
    assert "belongs to the course in /else" in capsys.readouterr().out


def test_with_every_name_held_the_run_says_so(machine: Machine) -> None:
    machine.others = set(testrun.NAMES)
    report = Report()
    with pytest.raises(ForeignCluster, match="kubelab-test to kubelab-test-9"):
        testrun.on_a_cluster(report, whole_banks=False)
    assert machine.log == []
    assert [(row.name, row.result) for row in report.rows] == [("cluster", "FAILED")]


def test_an_engine_is_stopped_again_where_no_cluster_could_be_made_on_it(machine: Machine) -> None:
    machine.runs, machine.others = False, set(testrun.NAMES)
    report = Report()
    with pytest.raises(ForeignCluster):
        testrun.on_a_cluster(report, whole_banks=False)
    assert machine.log == ["stop engine"]
    names = [(row.name, row.result) for row in report.rows]
    assert names == [("Container engine", "made"), ("cluster", "FAILED")]


def test_an_engine_that_the_tests_started_is_stopped_again(machine: Machine) -> None:
    machine.runs = False
    testrun.on_a_cluster(Report(), whole_banks=False)
    assert machine.log[-1] == "stop engine"


def test_a_cluster_that_cannot_be_made_is_removed_and_said_by_the_exit_code(
    machine: Machine, sites: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.fault = BuildFailed("No space left.")
    report = Report()
    testrun.on_a_cluster(report, whole_banks=False)
    assert report.code == EnvironmentFault.exit_code
    assert machine.log[-2:] == REMOVED
    assert "on the cluster" not in machine.log
    assert "No space left." in capsys.readouterr().out


def test_ctrl_c_removes_the_cluster_too(machine: Machine) -> None:
    machine.fault = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        testrun.on_a_cluster(Report(), whole_banks=False)
    assert machine.log[-2:] == REMOVED


def test_a_second_ctrl_c_does_not_stop_the_removal(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with testrun.undisturbed():
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    assert "Cleaning up first" in capsys.readouterr().out


def test_the_removal_leaves_the_learners_files(machine: Machine, sites: Path) -> None:
    tests, site = Site("kubelab-test", sites), Site(root=sites)
    own, learners = tests.work / "results.jsonl", site.work / "results.jsonl"
    for file in (own, learners, site.kubeconfig, tests.kubeconfig):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    testrun.clear(None, tests)
    assert list(tests.state.iterdir()) == []
    assert learners.exists()
    assert site.kubeconfig.exists()


@pytest.mark.parametrize(
    ("which", "parts"),
    [
        ("quick", ["packages", "units"]),
        ("all", ["packages", "units", "site", "cluster"]),
        ("banks", ["packages", "units", "site", "cluster"]),
        ("look", ["packages", "look"]),
        ("faults", ["packages", "faults"]),
    ],
)
def test_each_kind_of_run_has_its_parts(
    which: str, parts: list[str], sites: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    names = {
        "developers_packages": "packages", "style_and_units": "units",
        "documents": "site", "look": "look", "on_a_cluster": "cluster", "faults": "faults",
    }  # fmt: skip
    for function, name in names.items():
        monkeypatch.setattr(testrun, function, lambda report, name=name, **_: done.append(name))
    assert testrun.run(which) == 0
    assert done == parts


def test_without_a_browser_the_look_is_left_out_and_said_unless_it_was_asked_for(
    sites: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(testrun.shutil, "which", lambda name: None)
    report = Report()
    with testrun.looked_at(report):
        report.add(Row("a learner's walk", "passed"))
    assert report.code == 0
    assert [(row.name, row.result) for row in report.rows] == [
        ("look", "not run"), ("a learner's walk", "passed"),
    ]  # fmt: skip
    with pytest.raises(EnvironmentFault, match="no Chromium"):
        testrun.look(report)


def test_a_look_that_finds_a_fault_fails(sites: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testrun.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(testrun, "command", lambda words, environment: Told(1, ["too wide"], 2.0))
    report = Report()
    testrun.look(report)
    assert (report.code, report.rows[0].result) == (1, "FAILED")


def test_the_notebooks_are_looked_at_beside_the_walk_without_a_word_of_its_cluster(
    sites: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = "import os, sys; print(os.environ['KUBELAB_CLUSTER'], sys.argv[1]); sys.exit(1)"
    monkeypatch.setattr(testrun.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(testrun, "looking", lambda: [sys.executable, "-c", script])
    report = Report()
    with testrun.looked_at(report):
        report.add(Row("a learner's walk", "passed"))
    assert [(row.name, row.result) for row in report.rows] == [
        ("a learner's walk", "passed"), ("look", "FAILED"),
    ]  # fmt: skip
    assert report.code == 1
    assert capsys.readouterr().out.endswith("\n== look\nkubelab-test-look --brief\n")


ENDS_WHEN_INTERRUPTED = """\
import pathlib, signal, sys, time

def end(*_):
    pathlib.Path("ended").touch()
    sys.exit()

signal.signal(signal.SIGINT, end)
print("first notebook", flush=True)
pathlib.Path("began").touch()
while True:
    time.sleep(60)
"""


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_interrupted_run_ends_what_ran_beside_it(
    sites: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report()

    def interrupted() -> None:
        with testrun.beside(report, "long", [sys.executable, "-c", ENDS_WHEN_INTERRUPTED]):
            until((sites / "began").exists)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (sites / "ended").exists()
    assert capsys.readouterr().out == "\n== long\nfirst notebook\n"
    assert [(row.name, row.result) for row in report.rows] == [("long", "FAILED")]


def test_what_hangs_beside_a_block_is_ended_and_has_failed(
    sites: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(testrun, "LONGEST", 0.1)
    report = Report()
    with testrun.beside(report, "long", [sys.executable, "-c", ENDS_WHEN_INTERRUPTED]):
        until((sites / "began").exists)
    assert (sites / "ended").exists()
    assert (report.code, report.rows[0].note) == (1, "it did not end")
    assert "Waiting for long." in capsys.readouterr().out


def test_the_most_severe_exit_code_holds_and_pytests_line_is_last(
    sites: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = "===== 3 passed in 1.00s =====", "===== 1 failed, 2 passed in 2.00s ====="

    def units(report: Report) -> None:
        report.closings.append((False, bad))
        report.add(Row("unit tests", "FAILED", 2.0), 1)

    def on_a_cluster(report: Report, whole_banks: bool) -> None:
        report.closings.append((True, good))
        report.add(Row("on the cluster", "passed", 130.0))

    monkeypatch.setattr(testrun, "developers_packages", lambda report: None)
    monkeypatch.setattr(testrun, "style_and_units", units)
    monkeypatch.setattr(testrun, "documents", lambda report: None)
    monkeypatch.setattr(testrun, "on_a_cluster", on_a_cluster)
    assert testrun.run("all") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == [good, bad]
    assert "on the cluster  passed    2 min 10 s" in lines


@pytest.mark.parametrize(
    "line",
    [
        "============================== 3 passed in 0.02s ===============================",
        "=== 1 failed, 2 passed, 1 skipped, 1 error in 61.50s (0:01:01) ===",
        "============================ no tests ran in 0.01s =============================",
    ],
)
def test_pytests_closing_line_is_known(line: str) -> None:
    assert testrun.CLOSING.match(line)
    assert not testrun.CLOSING.match("= FAILURES =")


def test_a_command_is_shown_and_kept_and_its_code_is_told(
    sites: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = testrun.command([sys.executable, "-c", "print('a'); print('b'); raise SystemExit(3)"])
    assert (told.code, told.lines) == (3, ["a", "b"])
    assert capsys.readouterr().out == "a\nb\n"


def test_types_are_checked_beside_the_units_and_every_failure_counts(
    sites: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(testrun, "command", lambda words: Told(0, [], 0.1))
    monkeypatch.setattr(testrun, "pytest", lambda report, name, words: None)
    mypy = testrun.LEARNERS.environment / "bin" / "mypy"
    mypy.parent.mkdir(parents=True)
    mypy.write_text("#!/bin/sh\necho 'x.py:1: error'\nexit 1\n")
    mypy.chmod(0o755)
    report = Report()
    testrun.style_and_units(report)
    names = [(row.name, row.result) for row in report.rows]
    assert names == [("ruff check", "passed"), ("ruff format", "passed"), ("mypy", "FAILED")]
    assert report.code == 1
    assert "x.py:1: error" in capsys.readouterr().out


def test_an_interrupted_command_interrupts_the_run(sites: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        testrun.command([sys.executable, "-c", "raise SystemExit(130)"])


def test_pytest_runs_on_the_tests_site_and_never_with_the_users_kubeconfig(
    sites: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, str]] = []

    def command(words: list[str], environment: dict[str, str]) -> Told:
        asked.append(environment)
        return Told(1, ["x", "=== 1 failed in 0.10s ==="], 0.1)

    monkeypatch.setenv("KUBECONFIG", "/home/user/.kube/config")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(testrun, "command", command)
    report = Report()
    testrun.pytest(report, "unit tests", ["tests"])
    assert asked[0]["KUBELAB_CLUSTER"] == "kubelab-test"
    assert not testrun.UNSET & set(asked[0])
    assert report.code == 1
    assert report.closings == [(False, "=== 1 failed in 0.10s ===")]


def test_packages_are_installed_only_when_their_list_changed(
    sites: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[list[str]] = []
    code = 0

    def command(words: list[str]) -> Told:
        installed.append(words)
        return Told(code, [], 1.0)

    monkeypatch.setattr(testrun, "command", command)
    (sites / "requirements-dev.txt").write_text("ruff==1\n")
    testrun.LEARNERS.environment.mkdir()
    testrun.developers_packages(Report())
    testrun.developers_packages(Report())
    assert len(installed) == 1
    assert "--require-hashes" in installed[0]
    (sites / "requirements-dev.txt").write_text("ruff==2\n")
    code = 1
    with pytest.raises(EnvironmentFault):
        testrun.developers_packages(Report())


def test_the_faults_run_between_nothing_and_a_removal(
    sites: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    @contextmanager
    def cleared(report: Report) -> Iterator[Site]:
        yield Site("kubelab-test-2", sites)
        done.append("cleared")

    monkeypatch.setattr(testrun, "cleared", cleared)
    monkeypatch.setattr(testrun, "pytest", lambda report, name, words, site: done.append(site.name))
    testrun.faults(Report())
    assert done == ["kubelab-test-2", "cleared"]


def test_the_bank_of_each_lab_has_its_line_and_its_rates(
    sites: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for slug in ("90-tiny", "91-none"):
        folder = sites / "labs" / slug
        shutil.copytree(COURSE / "labs" / "90-tiny", folder)
    (sites / "labs" / "90-tiny" / "bank").mkdir()
    asked: list[tuple[list[str], dict[str, str]]] = []
    rates = ["wrong answers that passed: 1 of 9", "right answers that failed: 0 of 3"]
    misjudged = "90 wrong-x   90.1  failed no-pod   passed   MISJUDGED  3 s"

    def command(words: list[str], environment: dict[str, str]) -> Told:
        asked.append((words, environment))
        return Told(1, [misjudged, "90 wrong-y ...", "", *rates], 30.0)

    monkeypatch.setattr(testrun, "command", command)
    report = Report()
    testrun.banks(report, Site("kubelab-test-2", sites), whole=True)
    ((words, environment),) = asked
    assert words[-2:] == ["bank", "90"]
    assert environment["KUBELAB_CLUSTER"] == "kubelab-test-2"
    assert [(row.name, row.result, row.note) for row in report.rows] == [
        ("bank 90", "FAILED", "; ".join(rates))
    ]
    assert report.text().splitlines()[-1] == misjudged
    assert report.code == 1


def test_the_banks_are_cut_where_the_run_would_take_too_long(
    sites: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in ("90", "91", "92"):
        folder = sites / "labs" / f"{number}-tiny"
        shutil.copytree(COURSE / "labs" / "90-tiny", folder)
        (folder / "bank").mkdir()
    asked: list[list[str]] = []
    report = Report()

    def command(words: list[str], environment: dict[str, str]) -> Told:
        asked.append(words[-2:])
        report.began += testrun.SHORT_BANK  # The first was cut, so the others have the time.
        return Told(0, ["wrong answers that passed: 0 of 9"], 30.0)

    monkeypatch.setattr(testrun, "command", command)
    report.began += 2.5 * testrun.SHORT_BANK - testrun.ENOUGH
    testrun.banks(report, Site("kubelab-test-2", sites), whole=False)
    assert asked == [["90", "--shortest"], ["91", "--short"], ["92", "--short"]]
    assert [row.note for row in report.rows] == [
        "wrong answers that passed: 0 of 9; cut to end in time",
        "wrong answers that passed: 0 of 9",
        "wrong answers that passed: 0 of 9",
    ]
    asked.clear()
    report.began -= testrun.ENOUGH
    testrun.banks(report, Site("kubelab-test-2", sites), whole=True)
    assert asked == [["bank", "90"], ["bank", "91"], ["bank", "92"]]


def test_continuous_integration_calls_the_same_command() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "./lab test" in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert os.access(ROOT / "lab", os.X_OK)


def test_a_test_that_names_no_longest_time_has_one(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("timeout").args[0] > 0
