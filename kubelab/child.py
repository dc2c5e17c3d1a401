"""Commands that this process waits for: their output line by line, and none that outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kubelab.errors import BuildFailed

STOP_SECONDS = 20.0


def follow(
    words: Sequence[str],
    line: Callable[[str], None],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    apart: bool = False,
) -> int:
    """Run a command, tell each line of its output, and return its exit code.

    One that runs apart has a session of its own: it hears of a Ctrl-C once, from here, and is
    given time to clean up.
    """
    with subprocess.Popen(
        words,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=apart,
    ) as process:
        assert process.stdout is not None
        try:
            for text in process.stdout:
                line(text)
        except BaseException:
            if apart:
                end(process)
            else:
                terminate(process)
            raise
    return process.returncode


def printed(
    words: Sequence[str], seconds: float, environment: Mapping[str, str] | None = None
) -> str:
    """What a command prints; empty where it is not there, or does not end in time."""
    try:
        done = subprocess.run(
            words, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def end(process: subprocess.Popen[str]) -> None:
    """Let a command that runs apart clean up, as after Ctrl-C; one that does not end is killed."""
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def terminate(process: subprocess.Popen[str]) -> None:
    """End a command that hears of a Ctrl-C itself; one that does not end is killed."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def logged(
    words: Sequence[str],
    log: Path,
    line: Callable[[str], None] = lambda _: None,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a command with its output into `log`, each line told to `line`.

    Raises BuildFailed with the last line.
    """
    last = ""
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(words)[:300]}\n")

        def keep(text: str) -> None:
            nonlocal last
            file.write(text)
            last = text.strip() or last
            line(text)

        code = follow(words, keep, folder=folder, environment=environment)
    if code != 0:
        name = " ".join(words[:2]) if words[0] == "go" else words[0]
        raise BuildFailed(f"`{name}` failed: {last[:300]}", look=f"tail -n 40 {log}")
