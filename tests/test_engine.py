"""The container engine of the course: found again by its record, stopped, and never waited for."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kubelab import engine
from kubelab.engine import Engine
from kubelab.errors import BuildFailed, NoEngine

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


def test_an_engine_that_root_has_started_is_left_to_root(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: int) -> None:
        raise PermissionError("Operation not permitted")

    monkeypatch.setattr(engine, "started_by_us", lambda: 1)
    monkeypatch.setattr("os.kill", refused)
    record.write_text("{}")
    assert not engine.stop_ours()
    assert record.exists()


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


@dataclass
class Machine:
    """A machine without an engine: what is installed and launched, and who comes to answer."""

    folder: Path
    answers: list[Engine | None] = field(default_factory=list)
    installed: list[tuple[Sequence[str], ...]] = field(default_factory=list)
    launched: int = 0

    def programs(self, *names: str) -> None:
        """Put programs on the PATH."""
        for name in names:
            (self.folder / name).touch(0o755)

    def install(self, *choices: Sequence[str]) -> None:
        self.installed.append(choices)
        self.programs("docker", "dockerd")

    def find(self) -> Engine | None:
        """The next answer; the last one holds."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def start(self) -> None:
        self.launched += 1
        self.answers = [Engine("27", ours=True)]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine of Debian's, and this process is root."""
    found = Machine(tmp_path / "bin")
    found.folder.mkdir()
    found.programs("apt-get")
    monkeypatch.setenv("PATH", str(found.folder))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(engine, "RECORD", tmp_path / "dockerd.json")
    monkeypatch.setattr(engine, "PID_FILE", tmp_path / "docker.pid")
    monkeypatch.setattr(engine, "find", found.find)
    monkeypatch.setattr(engine, "INOTIFY", tmp_path / "max_user_instances")
    engine.INOTIFY.write_text("128\n")
    monkeypatch.setattr(engine, "_start", found.start)
    monkeypatch.setattr(engine.packages, "install", found.install)
    return found


def test_where_nothing_is_an_engine_is_installed_and_started(machine: Machine) -> None:
    machine.answers = [None]
    assert engine.connect() == Engine("27", ours=True)
    assert machine.installed == [
        (["docker.io", "docker-cli", "iptables"], ["docker.io", "iptables"])
    ]
    assert machine.launched == 1


@pytest.mark.parametrize("there", ["docker", "dockerd"])
def test_half_an_engine_is_made_whole(machine: Machine, there: str) -> None:
    """Debian 13 has the daemon and its command in two packages."""
    machine.programs(there)
    machine.answers = [None]
    engine.connect()
    assert len(machine.installed) == 1


@pytest.mark.parametrize("root", [True, False])
@pytest.mark.parametrize("command", [True, False])
def test_where_none_can_be_installed_the_next_step_is_one_that_is_there(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, root: bool, command: bool
) -> None:
    machine.answers = [None]
    if root:
        (machine.folder / "apt-get").unlink()
    else:
        monkeypatch.setattr("os.geteuid", lambda: 1000)
    if command:
        machine.programs("docker")
    with pytest.raises(NoEngine, match="No container engine ") as no:
        engine.connect()
    assert no.value.look == ("docker info" if command else "./lab doctor")
    assert (machine.installed, machine.launched) == ([], 0)


def test_an_engine_that_is_there_is_not_installed_again(machine: Machine) -> None:
    machine.programs("docker", "dockerd")
    machine.answers = [None]
    engine.connect()
    assert (machine.installed, machine.launched) == ([], 1)


def test_the_one_that_the_system_starts_as_it_is_installed_is_the_systems(
    machine: Machine,
) -> None:
    machine.answers = [None, Engine("26", ours=False)]
    assert engine.connect() == Engine("26", ours=False)
    assert machine.launched == 0


def test_one_that_is_being_started_is_waited_for(machine: Machine) -> None:
    machine.programs("docker", "dockerd")
    command = [sys.executable, "-c", OBEYS, "dockerd"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        engine.PID_FILE.write_text(str(process.pid))
        machine.answers = [None, None, None, Engine("26", ours=False)]
        try:
            assert engine.connect() == Engine("26", ours=False)
        finally:
            process.kill()
    assert machine.launched == 0


def test_one_that_ends_as_it_is_waited_for_gives_way_to_the_courses(machine: Machine) -> None:
    machine.programs("docker", "dockerd")
    machine.answers = [None]
    with subprocess.Popen([sys.executable, "-c", "", "dockerd"]) as process:
        engine.PID_FILE.write_text(str(process.pid))
        assert engine.connect() == Engine("27", ours=True)
    assert machine.launched == 1


@pytest.mark.parametrize("ours", [True, False])
def test_one_that_runs_and_never_answers_is_told(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, ours: bool
) -> None:
    machine.programs("docker", "dockerd")
    machine.answers = [None]
    monkeypatch.setattr(engine, "START_TIMEOUT", 0.2)
    command = [sys.executable, "-c", OBEYS, "dockerd"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        if ours:
            engine.RECORD.write_text(json.dumps({"pid": process.pid}))
        else:
            engine.PID_FILE.write_text(str(process.pid))
        try:
            with pytest.raises(NoEngine, match=f"A dockerd runs .process {process.pid}. and") as no:
                engine.connect()
        finally:
            process.kill()
    assert no.value.look == (f"kill {process.pid}" if ours else "service docker stop")
    assert machine.launched == 0


def read_only(*_: object, **__: object) -> None:
    """What a file of the kernel's says in many a container."""
    raise OSError(errno.EROFS, "Read-only file system")


@pytest.mark.parametrize("ours", [True, False])
def test_an_engine_gets_the_instances_of_inotify_that_three_nodes_take(
    machine: Machine, ours: bool
) -> None:
    machine.answers = [None, None if ours else Engine("26", ours=False)]
    assert engine.connect().ours is ours
    assert engine.INOTIFY.read_text() == "1024"


def test_an_engine_is_had_where_the_kernels_files_are_read_only(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "write_text", read_only)
    machine.answers = [None]
    assert engine.connect() == Engine("27", ours=True)


def test_forwarding_is_switched_on_where_it_is_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dockerd needs it; where it is on, nothing is written."""
    monkeypatch.setattr(engine, "FORWARDING", tmp_path / "ip_forward")
    engine.FORWARDING.write_text("0\n")
    engine._forward()
    assert engine.FORWARDING.read_text() == "1"
    monkeypatch.setattr(Path, "write_text", read_only)
    engine._forward()


def test_where_it_is_off_and_stays_off_no_engine_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "FORWARDING", tmp_path / "ip_forward")
    engine.FORWARDING.write_text("0\n")
    monkeypatch.setattr(Path, "write_text", read_only)
    monkeypatch.setattr(engine, "_launch", lambda: pytest.fail("launched"))
    with pytest.raises(NoEngine, match=r"forwarding is off, and .* Read-only file system\.") as no:
        engine._start()
    assert no.value.look == "sysctl -w net.ipv4.ip_forward=1"


# It answers at the system's own socket alone, to whoever says nothing of another one.
ANSWERS_HERE = """#!/bin/sh
[ -e {folder}/dockerd ] && [ -z "$DOCKER_HOST$DOCKER_CONTEXT$DOCKER_TLS_VERIFY" ] &&
  [ "$1 $2 $3" = "--host unix:///var/run/docker.sock version" ] && echo 27
"""
ELSEWHERE = "No Docker answers where `{}` leads, and the one here does: change that, then again."


@pytest.fixture
def elsewhere(
    request: pytest.FixtureRequest, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> str:
    """What leads past the Docker of a machine, to where none answers."""
    way = getattr(request, "param", "DOCKER_HOST")
    machine.answers = [None]
    machine.programs("docker")
    (machine.folder / "docker").write_text(ANSWERS_HERE.format(folder=machine.folder))
    if way.isupper():
        monkeypatch.setenv(way, "tcp://192.0.2.1:2376")
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    else:
        (machine.folder.parent / "config.json").write_text('{"currentContext": "away"}')
    return way


@pytest.mark.parametrize("user", [0, 1000])
@pytest.mark.parametrize(
    "elsewhere", ["DOCKER_HOST", "DOCKER_CONTEXT", "docker context"], indirect=True
)
def test_an_engine_is_not_blamed_where_the_way_leads_elsewhere(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, elsewhere: str, user: int
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    machine.programs("dockerd")
    with pytest.raises(NoEngine) as no:
        engine.connect()
    assert (no.value.message, no.value.look) == (ELSEWHERE.format(elsewhere), "docker context ls")
    assert (machine.installed, machine.launched) == ([], 0)


def test_one_that_is_started_is_not_waited_for_where_the_way_leads_elsewhere(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, elsewhere: str
) -> None:
    def start() -> None:
        machine.programs("dockerd")
        assert engine._answers(SimpleNamespace(poll=lambda: None))  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "_start", start)
    monkeypatch.setattr(engine.packages, "install", lambda *_: None)
    with pytest.raises(NoEngine) as no:
        engine.connect()
    assert no.value.message == ELSEWHERE.format(elsewhere)


def test_nobody_is_asked_twice_where_the_way_leads_here(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine.folder.parent / "config.json").write_text('{"auths": {}}')
    machine.answers = [None]
    monkeypatch.setattr(engine, "_answers_here", lambda: pytest.fail("asked"))
    assert engine.connect() == Engine("27", ours=True)


def test_a_docker_that_hangs_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*_: object, timeout: float, **__: object) -> None:
        raise subprocess.TimeoutExpired("docker", timeout)

    monkeypatch.setattr(subprocess, "run", hangs)
    with pytest.raises(BuildFailed, match=r"`docker ps` did not end within 120 s\."):
        Engine("27", ours=False).run("ps", "--quiet")
