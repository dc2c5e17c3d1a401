"""The container engine of the course: found again by its record, stopped, and never waited for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubelab import engine
from kubelab.engine import Engine
from kubelab.errors import BuildFailed

# It is called as dockerd is, and ends at once when it is asked to, or never.
OBEYS = "print('ready', flush=True); import time; time.sleep(60)"
STAYS = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {OBEYS}"


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that remembers the engine which the course started; none answers."""
    file = tmp_path / "dockerd.json"
    monkeypatch.setattr(engine, "RECORD", file)
    monkeypatch.setattr(engine, "find", lambda: None)
    return file


@pytest.fixture
def started(record: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """A process that the record takes for the course's engine."""
    command = [sys.executable, "-c", request.param, "dockerd"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        record.write_text(json.dumps({"pid": process.pid}))
        yield process
        process.kill()


@pytest.fixture
def docker(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """How many seconds each docker command was given."""
    given: list[float | None] = []

    def answered(command: list[str], **more: Any) -> subprocess.CompletedProcess[bytes]:
        given.append(more["timeout"])
        return subprocess.CompletedProcess(command, 0, b"", b"")

    monkeypatch.setattr(subprocess, "run", answered)
    return given


@pytest.mark.parametrize("started", [OBEYS], indirect=True)
def test_an_engine_that_ended_is_forgotten(started: subprocess.Popen[str], record: Path) -> None:
    assert engine.stop_ours()
    assert not record.exists()


@pytest.mark.parametrize("started", [STAYS], indirect=True)
def test_an_engine_that_takes_its_time_is_still_the_courses(
    started: subprocess.Popen[str], record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "STOP_TIMEOUT", 0.2)
    assert not engine.stop_ours()
    assert engine.started_by_us() == started.pid


def test_an_engine_that_ended_meanwhile_is_none_to_stop(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    monkeypatch.setattr(engine, "started_by_us", lambda: process.pid)
    record.write_text("{}")
    assert engine.stop_ours()
    assert not record.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("ps", "--quiet"),
        ("image", "ls"),
        ("image", "inspect", "one"),
        ("inspect", "one"),
        ("port", "one"),
        ("info",),
    ],
)
def test_a_question_to_an_engine_that_hangs_ends(
    words: tuple[str, ...], docker: list[float | None]
) -> None:
    Engine("27", ours=False).run(*words)
    assert docker == [engine.ASK_TIMEOUT]


@pytest.mark.parametrize("words", [("image", "rm", "one"), ("build", "."), ("save", "one")])
def test_work_takes_as_long_as_its_caller_says(
    words: tuple[str, ...], docker: list[float | None]
) -> None:
    Engine("27", ours=False).run(*words)
    Engine("27", ours=False).run(*words, timeout=7)
    Engine("27", ours=False).run("ps", timeout=9)
    assert docker == [None, 7, 9]


def test_a_docker_that_hangs_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*_: object, timeout: float, **__: object) -> None:
        raise subprocess.TimeoutExpired("docker", timeout)

    monkeypatch.setattr(subprocess, "run", hangs)
    with pytest.raises(BuildFailed, match=r"`docker ps` did not end within 120 s\."):
        Engine("27", ours=False).run("ps", "--quiet")
