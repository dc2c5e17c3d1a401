"""The container engine of the course: found again by its record, stopped, and never waited for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubelab import engine

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
