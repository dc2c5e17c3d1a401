"""The commands of a lab on the real cluster: reset, diff, hint and solve."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from answers import Place

from kubelab import learner, report
from kubelab.api import connect
from kubelab.site import Site

MINE = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: mine\ndata:\n  a: '1'\n"


@pytest.fixture(autouse=True)
def hints_of_before(site: Site) -> Iterator[None]:
    """What these tests record as seen is taken back: other tests ask for hints, too."""
    file = site.work / "hints.jsonl"
    before = file.read_bytes() if file.is_file() else b""
    yield
    if file.is_file():
        file.write_bytes(before)


def words(started: Place, command: str, *more: str) -> list[str]:
    """A command of `./lab`, on this test's namespace."""
    return [sys.executable, "-m", "kubelab", command, *more, "--namespace", started.namespace]


def environment(started: Place) -> dict[str, str]:
    """The environment that leads the command to the tests' cluster."""
    return {**os.environ, "KUBELAB_CLUSTER": started.site.name, "PYTHONUNBUFFERED": "1"}


def run(started: Place, command: str, *more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        words(started, command, *more),
        cwd=started.site.root,
        env=environment(started),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def saved(started: Place) -> list[Path]:
    """The files of saved work of this test's namespace."""
    return sorted((started.site.work / "02" / started.namespace).glob("saved-*.yaml"))


def names(file: Path) -> set[str]:
    """The names of the objects in a file of saved work."""
    return {one["metadata"]["name"] for one in yaml.safe_load_all(file.read_text("utf-8"))}


def put(started: Place, folder: Path, text: str = MINE) -> None:
    """Apply a manifest as the learner."""
    file = folder / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    started.kubectl("apply", "-f", str(file))


def uids(started: Place) -> dict[str, str]:
    """The uids of the start state's Deployment and Pod, as they are now."""
    told = started.kubectl("get", "deployment/broken", "pod/polite", "-o", "json")
    return {
        f"{one['kind']}/{one['metadata']['name']}": one["metadata"]["uid"]
        for one in json.loads(told)["items"]
    }


def test_reset_saves_the_work_and_begins_anew(started: Place, tmp_path: Path) -> None:
    put(started, tmp_path)
    before = uids(started)
    assert learner.baseline(connect(started.site), started.namespace) == before
    done = run(started, "reset", "02", "--yes")
    assert done.returncode == 0, done.stderr
    (file,) = saved(started)
    assert f"Your objects are saved: {file}" in done.stdout
    assert names(file) == {"mine", "broken", "polite"}
    assert "mine" not in started.kubectl("get", "configmaps", "-o", "name")
    after = uids(started)
    assert set(after.values()).isdisjoint(before.values())
    assert learner.baseline(connect(started.site), started.namespace) == after


def test_an_interrupted_reset_is_run_again_and_loses_nothing(
    started: Place, tmp_path: Path
) -> None:
    put(started, tmp_path)
    with subprocess.Popen(
        words(started, "reset", "02", "--yes"),
        cwd=started.site.root,
        env=environment(started),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "Remove the namespace" in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "Run `./lab reset` again" in rest
    assert run(started, "reset", "02", "--yes").returncode == 0
    (file,) = saved(started)
    assert names(file) == {"mine", "broken", "polite"}
    assert learner.started(connect(started.site), started.namespace)
    assert set(uids(started)) == {"Deployment/broken", "Pod/polite"}


def test_a_finalizer_that_holds_the_namespace_is_named_with_the_command_that_helps(
    started: Place, tmp_path: Path
) -> None:
    put(started, tmp_path, MINE.replace("name: mine", "name: mine\n  finalizers: [kubelab.test/x]"))
    done = run(started, "reset", "02", "--yes")
    told = " ".join(done.stderr.split())
    look = done.stderr.rstrip().splitlines()[-1].removeprefix("look: ")
    if done.returncode != 4:
        started.kubectl("patch", "configmap", "mine", "-p", '{"metadata":{"finalizers":null}}')
    assert done.returncode == 4
    assert "ConfigMap `mine` is held by its finalizer `kubelab.test/x`." in told
    started.kubectl(*shlex.split(look)[1:])
    assert run(started, "reset", "02", "--yes").returncode == 0
    assert learner.started(connect(started.site), started.namespace)


def test_a_solved_task_passes_and_the_reference_is_the_same(started: Place, tmp_path: Path) -> None:
    assert run(started, "diff", "02").returncode == 2
    done = run(started, "diff", "02", "--show", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["differences"]
    assert {"object": "pod/web", "path": "", "mine": None, "reference": "is there"} in found
    done = run(started, "solve", "02", "--yes")
    assert done.returncode == 0, done.stderr
    code, record = started.check("02.1")
    assert (code, record["verdict"], record["hints_used"]) == (0, "pass", 4)
    done = run(started, "diff", "02", "--show")
    assert done.stdout == "Lab 02: yours and the reference are the same.\n"


def test_a_hint_is_the_labs_own_and_is_kept(started: Place) -> None:
    command = [sys.executable, "-m", "kubelab", "hint", "02.1", "--again", "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment(started)
    )
    told = json.loads(done.stdout)
    assert told["hints"] == list(started.lab.task("02.1").hints[: told["rung"]])
    assert report.hints_used(started.site.work, "02.1") >= told["rung"]
