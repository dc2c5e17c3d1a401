"""The plugin and the runner, on a course of one lab and a cluster in memory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from fakes import COURSE, FakeCluster, TinySite, pod

from kubelab import learner, plugin, report, runner
from kubelab.errors import EnvironmentFault, NoCluster, UsageError
from kubelab.site import Site

NAMESPACE = "lab-90"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = TinySite(root=COURSE)
    object.__setattr__(found, "folder", tmp_path / "work")
    return found


@pytest.fixture
def cluster(site: Site, monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    fake = FakeCluster(site)
    monkeypatch.setattr(plugin, "connect", lambda _: fake)
    return fake


def run(site: Site, *selectors: str, **more: object) -> dict[str, report.Record]:
    found = runner.run(site, selectors, **more)
    return {one["check"]: one for one in found}


def test_one_task_or_a_whole_lab_is_run(site: Site, cluster: FakeCluster) -> None:
    assert list(run(site, "90.1")) == ["90.1"]
    assert list(run(site, "90")) == ["90.1", "90.2", "90.3"]


def test_options_of_the_users_own_do_not_disturb(
    site: Site, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-rs -v --no-such-option")
    assert list(run(site, "90.1")) == ["90.1"]
    assert os.environ["PYTEST_ADDOPTS"] == "-rs -v --no-such-option"


def test_a_right_state_earns_its_points(site: Site, cluster: FakeCluster) -> None:
    cluster.put("Pod", pod(), NAMESPACE)
    found = run(site, "90.1", "90.2")
    assert [one["verdict"] for one in found.values()] == ["pass", "pass"]
    assert [one["earned"] for one in found.values()] == [2, 1]


def test_a_run_lists_each_kind_once(site: Site, cluster: FakeCluster) -> None:
    cluster.put("Pod", pod(), NAMESPACE)
    run(site, "90.1", "90.2")
    # Those of the control plane, then those of the lab.
    assert cluster.calls.count("list Pod") == 2
    assert cluster.calls.count("get Namespace") == 1


def test_a_mistake_in_a_check_costs_nothing(site: Site, cluster: FakeCluster) -> None:
    found = run(site, "90.3")["90.3"]
    assert (found["verdict"], found["reason"]) == ("env", "environment")
    assert "no_such_thing" in found["found"]


def test_every_result_is_appended_and_keeps_the_schema(site: Site, cluster: FakeCluster) -> None:
    run(site, "90")
    run(site, "90.1")
    schema = json.loads(report.SCHEMA.read_text(encoding="utf-8"))
    written = list(report.read(site.results))
    assert [one["check"] for one in written] == ["90.1", "90.2", "90.3", "90.1"]
    assert [one["attempt"] for one in written] == [1, 1, 1, 2]
    for one in written:
        jsonschema.validate(one, schema)
        assert one["cluster"] == {"uid": cluster.uid, "version": "v1.37.2"}


def test_five_runs_say_the_same(site: Site, cluster: FakeCluster) -> None:
    cluster.put("Pod", pod("pod-never-ready"), NAMESPACE)
    said = {run(site, "90.1")["90.1"]["reason"] for _ in range(5)}
    assert said == {"not-ready"}


def test_a_lab_that_was_not_started_says_how_to_start_it(
    site: Site, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.delete("Namespace", NAMESPACE)
    assert runner.run_checks(site, ["90.1"]) == 1
    assert capsys.readouterr().out == "90.1  not started: ./lab start 90\n"
    cluster.put("Namespace", {"metadata": {"name": NAMESPACE}})
    assert run(site, "90.1")["90.1"]["reason"] == "not-started"


def test_no_cluster_is_told_once_a_check_and_asked_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(_: Site) -> None:
        asked.append(1)
        raise NoCluster("The course's cluster is not there.", look="./lab up")

    monkeypatch.setattr(plugin, "connect", refuse)
    found = run(site, "90")
    assert {one["verdict"] for one in found.values()} == {"env"}
    assert {one["look"] for one in found.values()} == {"./lab up"}
    assert len(asked) == 1


def test_a_broken_node_is_not_the_learners_fault(site: Site, cluster: FakeCluster) -> None:
    cluster.put("Pod", pod("pod-never-ready"), NAMESPACE)
    lost = [{"type": "Ready", "status": "Unknown"}]
    cluster.put("Node", {"metadata": {"name": "node"}, "status": {"conditions": lost}})
    found = run(site, "90.1")["90.1"]
    assert (found["verdict"], found["found"]) == (
        "env",
        "Node node is not ready. It costs you nothing.",
    )


def test_what_the_learner_wrote_is_judged_on_a_broken_node_too(
    site: Site, cluster: FakeCluster
) -> None:
    body = pod()
    body["metadata"]["labels"] = {"app": "webb"}
    cluster.put("Pod", body, NAMESPACE)
    lost = [{"type": "Ready", "status": "Unknown"}]
    cluster.put("Node", {"metadata": {"name": "node"}, "status": {"conditions": lost}})
    assert run(site, "90.2")["90.2"]["reason"] == "wrong-label"


@pytest.mark.parametrize(
    ("state", "code"), [("pod-ready", 0), ("pod-never-ready", 1), ("pod-starting", 3)]
)
def test_the_exit_code_says_the_verdict(
    site: Site, cluster: FakeCluster, state: str, code: int
) -> None:
    cluster.put("Pod", pod(state), NAMESPACE)
    assert runner.run_checks(site, ["90.1"], timeout=0.2) == code


def test_the_most_severe_verdict_of_several_is_the_exit_code(
    site: Site, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert runner.run_checks(site, ["90"]) == 4
    assert capsys.readouterr().out.endswith("\n0 of 4 points\n")


def test_json_is_one_array_and_nothing_else(
    site: Site, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert runner.run_checks(site, ["90.1"], json=True) == 1
    (one,) = json.loads(capsys.readouterr().out)
    assert one["check"] == "90.1"


def test_another_namespace_can_be_checked(site: Site, cluster: FakeCluster) -> None:
    started = {"kubelab.dev/started": "2026-11-24T12:00:00Z"}
    cluster.put("Namespace", {"metadata": {"name": "ann-lab-90", "annotations": started}})
    cluster.put("Pod", pod(), "ann-lab-90")
    found = run(site, "90.1", namespace="ann-lab-90")["90.1"]
    assert (found["verdict"], found["student"]) == ("pass", "ann")


@pytest.mark.parametrize("selector", ["07", "90.9", "90.x"])
def test_what_does_not_exist_is_a_usage_error(site: Site, selector: str) -> None:
    with pytest.raises(UsageError):
        runner.run(site, [selector])


def test_checks_that_cannot_be_imported_are_a_fault_of_the_course(
    site: Site, cluster: FakeCluster, tmp_path: Path
) -> None:
    file = tmp_path / "test_broken_import.py"
    file.write_text("import nonesuch\n", encoding="utf-8")
    with pytest.raises(EnvironmentFault, match=r"fault of the course: .*'nonesuch'\."):
        runner.run(site, ["90.1"], files=[file])


def test_a_name_of_a_class_names_its_student() -> None:
    assert learner.student("lab-02") == ""
    assert learner.student("ann-b-lab-02") == "ann-b"


PLAIN = """
from pathlib import Path

from fakes import COURSE, FakeCluster, TinySite, pod

from kubelab import plugin

pytest_plugins = ["kubelab.plugin"]
site = TinySite(root=COURSE)
object.__setattr__(site, "folder", Path(__file__).parent / "work")
fake = FakeCluster(site)
body = pod("pod-never-ready")
body["metadata"]["labels"] = {"app": "webb"}
fake.put("Pod", body, "lab-90")
plugin.here = lambda: site
plugin.connect = lambda _: fake
"""


def plain(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run plain `pytest` on the checks of the course of one lab: its exit code and its output."""
    here = Path(__file__).parent
    checks = (COURSE / "checks" / "test_90_tiny.py").read_text(encoding="utf-8")
    (folder / "conftest.py").write_text(PLAIN, encoding="utf-8")
    (folder / "test_90_tiny.py").write_text(checks, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{here}:{here.parent}", "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_plain_pytest_shows_text_lines_and_points(tmp_path: Path) -> None:
    code, output = plain(tmp_path, "--junit-xml", "out.xml")
    assert code == pytest.ExitCode.TESTS_FAILED, output
    lines = [line.rstrip() for line in output.splitlines()]
    for line in (
        f"90.1  not done{'0 of 2 points':>66}",
        f"90.2  not done{'0 of 1 points':>66}",
        f"90.3  could not check{'0 of 1 points':>59}",
        "  wanted   pod/web   ready",
        "  found    pod/web   Running, not ready",
        "0 of 4 points",
    ):
        assert line in lines, output
    assert lines.count("test_90_tiny.py") == 1
    assert "NOT DONE test_90_tiny.py::test_web_is_ready" in output
    assert "1 error in" in output
    assert "Traceback" not in output
    assert "AssertionError" not in output
    xml = (tmp_path / "out.xml").read_text(encoding="utf-8")
    assert 'errors="1" failures="2"' in xml, (
        "JUnit tells what failed from what could not be checked"
    )
    assert "90.1  not done" in xml
    for name, values in {
        "verdict": ["fail", "fail", "env"],
        "reason": ["not-ready", "wrong-label", "environment"],
    }.items():
        assert re.findall(rf'<property name="{name}" value="([a-z-]+)"', xml) == values


def test_plain_pytest_may_choose_a_task(tmp_path: Path) -> None:
    _, output = plain(tmp_path, "--lab-task", "90.2")
    assert "1 failed, 2 deselected" in output
