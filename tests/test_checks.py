"""The course's own checks as plain `pytest checks/`, typed in an activated environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubelab import labs, report
from kubelab.labs import Task
from kubelab.site import ROOT, TEST, Site

LABS = list(labs.every(ROOT))
TASKS: list[Task] = [task for lab in LABS for task in lab.tasks.values()]


@pytest.fixture
def site() -> Iterator[Site]:
    """A site without a cluster."""
    made = Site(f"{TEST}-checks")
    yield made
    shutil.rmtree(made.state, ignore_errors=True)


def plain(site: Site, home: Path, *options: str) -> tuple[int, list[str]]:
    """The exit code and the lines of plain pytest on the checks; no engine, nothing else is set."""
    programs = Path(sys.executable).parent
    done = subprocess.run(
        [str(programs / "pytest"), "checks/", "-q", "-p", "no:cacheprovider", *options],
        cwd=ROOT,
        env={
            "HOME": str(home),
            "PATH": str(programs),
            "KUBELAB_CLUSTER": site.name,
            "KUBELAB_LANG": "en",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_every_task_of_every_lab_is_collected(site: Site, tmp_path: Path) -> None:
    code, lines = plain(site, tmp_path, "--collect-only")
    assert code == pytest.ExitCode.OK
    assert lines[-1].startswith(f"{len(TASKS)} tests collected")
    found = Counter(line.partition("::")[0] for line in lines if "::" in line)
    assert found == {str(lab.checks.relative_to(ROOT)): len(lab.tasks) for lab in LABS}
    assert not site.state.exists()


def test_without_a_cluster_each_check_says_so_in_one_sentence(site: Site, tmp_path: Path) -> None:
    code, lines = plain(site, tmp_path)
    assert code == pytest.ExitCode.TESTS_FAILED
    first = [f"{task.id}  could not check{f'0 of {task.points} points':>59}" for task in TASKS]
    # Once a line as it goes on, and once above what it says.
    assert lines[: len(first)] == first
    assert [line for line in lines[len(first) :] if "could not check" in line] == first
    assert lines.count("  because  The course's cluster is not there.") == len(TASKS)
    assert lines.count("  look     ./lab up") == len(TASKS)
    assert "Traceback" not in "\n".join(lines)
    assert lines[-2] == f"0 of {sum(task.points for task in TASKS)} points"
    assert lines[-1].startswith(f"{len(TASKS)} errors in ")
    kept = list(report.read(site.results))
    assert [one["check"] for one in kept] == [task.id for task in TASKS]
    assert {one["verdict"] for one in kept} == {"env"}
