"""Commands that are waited for: every line is told, and nothing outlives an interruption."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from kubelab import child
from kubelab.errors import BuildFailed
from kubelab.progress import alive

# Says its process id, then waits; after Ctrl-C it leaves a trace.
WAITS = """
import os, pathlib, sys, time
try:
    print(os.getpid(), flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    pathlib.Path(sys.argv[1]).write_text("cleaned up")
    raise SystemExit(130)
"""
# Cleans up for longer than Python waits by itself for a command that is interrupted with it.
SLOW = """
import os, pathlib, signal, sys, time
def end(*_):
    time.sleep(0.5)
    pathlib.Path(sys.argv[1]).write_text("cleaned up")
    raise SystemExit(1)
signal.signal(signal.SIGTERM, end)
print(os.getpid(), flush=True)
time.sleep(60)
"""
DEAF = """
import os, signal, time
for one in (signal.SIGINT, signal.SIGTERM):
    signal.signal(one, signal.SIG_IGN)
print(os.getpid(), flush=True)
time.sleep(60)
"""


def python(script: str, *words: str) -> list[str]:
    return [sys.executable, "-c", script, *words]


def test_every_line_is_told_and_the_code_returned(tmp_path: Path) -> None:
    lines: list[str] = []
    script = "import os, sys; print(os.getcwd()); print(os.environ['A'], file=sys.stderr); exit(3)"
    code = child.follow(
        python(script), lines.append, folder=tmp_path, environment={**os.environ, "A": "one"}
    )
    assert code == 3
    assert sorted(lines) == sorted([f"{tmp_path}\n", "one\n"])


def interrupted(script: str, *words: str, apart: bool) -> int:
    """Press Ctrl-C at the first line of a command; its process id, which it says there."""
    heard: list[int] = []

    def press(line: str) -> None:
        heard.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        child.follow(python(script, *words), press, apart=apart)
    return heard[0]


@pytest.mark.parametrize("apart", [True, False])
def test_an_interruption_ends_the_command(tmp_path: Path, apart: bool) -> None:
    trace = tmp_path / "trace"
    assert not alive(interrupted(WAITS, str(trace), apart=apart))
    assert trace.exists() is apart, "only one that runs apart is asked to clean up"


def test_a_command_that_takes_a_moment_to_end_is_waited_for(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    assert not alive(interrupted(SLOW, str(trace), apart=False))
    assert trace.exists()


@pytest.mark.parametrize("apart", [True, False])
def test_a_command_that_does_not_listen_is_killed(
    monkeypatch: pytest.MonkeyPatch, apart: bool
) -> None:
    monkeypatch.setattr(child, "STOP_SECONDS", 0.2)
    assert not alive(interrupted(DEAF, apart=apart))


def test_a_logged_command_that_fails_says_its_last_line(tmp_path: Path) -> None:
    log, told = tmp_path / "log", list[str]()
    with pytest.raises(BuildFailed, match="failed: no room") as failed:
        child.logged(python("print('begun'); print('no room'); print(); exit(1)"), log, told.append)
    assert failed.value.look == f"tail -n 40 {log}"
    assert log.read_text().splitlines()[1:] == ["begun", "no room", ""]
    assert told == ["begun\n", "no room\n", "\n"]


def test_a_log_is_added_to(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for word in ("one", "two"):
        child.logged(["echo", word], log)
    assert log.read_text() == "$ echo one\none\n$ echo two\ntwo\n"
