"""The container engine: a running Docker is used as it is; else one is installed and started."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from kubelab import oci_shim, packages
from kubelab.errors import BuildFailed, NoEngine
from kubelab.progress import Stage, alive
from kubelab.words import tell

RUN = Path("/run/kubelab")
RECORD = RUN / "dockerd.json"
LOG = Path("/var/log/kubelab-dockerd.log")
SOCKET = Path("/var/run/docker.sock")
PID_FILE = Path("/var/run/docker.pid")
CONTAINERD_PID_FILE = Path("/var/run/docker/containerd/containerd.pid")
# kubelet and containerd of three nodes watch many files; Docker's hosts often allow 128 instances.
INOTIFY_INSTANCES = 1024
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
START_TIMEOUT = 60.0
STOP_TIMEOUT = 30.0
# What only asks the engine. It answers at once, on a busy machine after 20 s, and one that hangs
# never does; what makes, moves or runs something takes as long as its caller says.
ASKING = ("info", "inspect", "ls", "port", "ps", "version")
ASK_TIMEOUT = 120.0


@dataclass(frozen=True)
class Engine:
    """A Docker engine that answers; `ours` where the course started it."""

    version: str
    ours: bool

    def run(
        self,
        *args: str,
        stdin: IO[bytes] | None = None,
        log: Path | None = None,
        timeout: float | None = None,
        env: Mapping[str, str] | None = None,
    ) -> str:
        """Run `docker ARGS` and return its standard output.

        `log` receives standard error (and what a failed command printed); `timeout` is in seconds,
        none but for what only asks. Raises BuildFailed with the last line that docker printed.
        """
        command = ["docker", *args]
        verb = args[1] if args[0] == "image" else args[0]
        if timeout is None and verb in ASKING:
            timeout = ASK_TIMEOUT
        try:
            done = subprocess.run(
                command,
                stdin=stdin if stdin is not None else subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout,
                env={**os.environ, **(env or {})},
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise BuildFailed(
                f"`docker {args[0]}` did not end within {timeout:.0f} s.", look="./lab doctor"
            ) from error
        out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        if log is not None:
            with log.open("a", encoding="utf-8") as file:
                file.write(f"$ {' '.join(command)[:500]}\n{out}{err}")
        if done.returncode != 0:
            lines = [line for line in (err or out).splitlines() if line.strip()]
            last = lines[-1].strip() if lines else f"exit code {done.returncode}"
            raise BuildFailed(
                f"`docker {args[0]}` failed: {last[:300]}",
                look=f"tail -n 40 {log}" if log is not None else "./lab doctor",
            )
        return out

    def has_image(self, reference: str) -> bool:
        """Whether the engine holds this image."""
        return bool(self.run("image", "ls", "--quiet", reference).strip())


def stages() -> list[Stage]:
    """The stages that `connect` passes through."""
    known = shutil.which("docker") and shutil.which("dockerd")
    return [Stage("engine", "Container engine", 8 if known else 45)]


def find() -> Engine | None:
    """The engine that answers now, or None."""
    version = _server_version()
    return Engine(version, ours=started_by_us() is not None) if version else None


def connect(*, install: bool = True) -> Engine:
    """The engine that answers, installed and started first where `install` allows.

    Raises NoEngine with one sentence that says what to do.
    """
    engine = find()
    if engine is not None:
        return engine
    if not install:
        raise NoEngine("No container engine answers.", look="./lab up")
    require_way()
    if os.geteuid() != 0:
        raise _absent()
    if not (shutil.which("dockerd") and shutil.which("docker")):
        _install()
    _raise_inotify_instances()
    # The system starts the engine at its own start, or as its package is installed.
    engine = find() or _starting()
    if engine is None:
        _start()
        engine = find()
    if engine is None:
        require_way()
        raise NoEngine("dockerd started and does not answer.", look=f"tail -n 20 {LOG}")
    return engine


def require_way() -> None:
    """Raise NoEngine where Docker answers here, and what the user has chosen leads elsewhere."""
    way = _way()
    if way and _answers_here():
        raise NoEngine(
            f"No Docker answers where `{way}` leads, and the one here does: change that, then "
            "again.",
            look="docker context ls",
        )


def hanging() -> NoEngine | None:
    """What to do about the dockerd that runs here, if it does not answer; None where none runs."""
    pid = _dockerd()
    if pid is None:
        return None
    return NoEngine(
        f"A dockerd runs (process {pid}) and does not answer: stop it, then again.",
        look=f"kill {pid}" if pid == started_by_us() else "service docker stop",
    )


def stop_ours() -> bool:
    """Stop the dockerd that the course started, if one runs and no other container needs it.

    Says whether it ended; where it takes its time, a later call finds it again.
    """
    pid = started_by_us()
    if pid is None:
        return False
    engine = find()
    if engine is not None and engine.run("ps", "--quiet").strip():
        return False
    try:
        with suppress(ProcessLookupError):  # It ended by itself a moment ago.
            os.kill(pid, signal.SIGTERM)
    except PermissionError:  # Root started it, and this is another user.
        return False
    if not _wait_until(lambda: not alive(pid), STOP_TIMEOUT):
        return False
    RECORD.unlink(missing_ok=True)
    return True


def _absent() -> NoEngine:
    """What a user is told where none answers, and none is installed or started for them."""
    command = shutil.which("docker")
    advice = "No container engine here: install Docker (https://docs.docker.com/engine/install/)."
    if command or SOCKET.exists():
        advice = (
            "No container engine answers: start Docker (Docker Desktop, or `sudo systemctl start "
            "docker`) and see that your user may use it."
        )
    return NoEngine(advice, look="docker info" if command else "./lab doctor")


def _way() -> str | None:
    """What leads the command `docker` past the system's own socket, if anything does."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):  # In the order of its own.
        if os.environ.get(name):
            return name
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        chosen = json.loads((folder / "config.json").read_bytes()).get("currentContext")
    except (OSError, ValueError, AttributeError):
        return None
    return "docker context" if chosen else None


def _answers_here() -> bool:
    """Whether an engine answers at the system's own socket."""
    # Without what is meant for another one, certificates for instance.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")}
    return bool(_server_version("--host", f"unix://{SOCKET}", env=plain))


def _server_version(*way: str, env: Mapping[str, str] | None = None) -> str | None:
    if not shutil.which("docker"):
        return None
    try:
        done = subprocess.run(
            ["docker", *way, "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            text=True,
            timeout=20,
            env=env,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError):
        return None
    version = done.stdout.strip()
    return version if done.returncode == 0 and version else None


def _install() -> None:
    if not packages.installable():
        raise _absent()
    tell("No container engine here: installing Debian's docker.io.")
    try:
        # Since Debian 13 the command `docker` is a package of its own.
        packages.install(["docker.io", "docker-cli", "iptables"], ["docker.io", "iptables"])
    except BuildFailed as error:
        raise NoEngine(
            f"docker.io could not be installed: {error.message}", look=error.look
        ) from error


def _starting() -> Engine | None:
    """The engine that comes to answer, where one is being started already; None where none is.

    Raises NoEngine where it runs and does not answer.
    """
    found: Engine | None = None

    def decided() -> bool:
        nonlocal found
        found = find()
        return found is not None or _dockerd() is None

    if not _wait_until(decided, START_TIMEOUT):
        require_way()
        hangs = hanging()
        if hangs is not None:
            raise hangs
    return found


def _dockerd() -> int | None:
    """The process id of the dockerd that runs here, whoever started it."""
    return started_by_us() or _running(PID_FILE, b"dockerd")


def _start() -> None:
    _forward()
    tell("Starting dockerd; `./lab down` stops it.")
    # After a power cut dockerd may give up on its containerd, which is still tidying up: once more.
    if not (_answers(_launch()) or _answers(_launch())):
        RECORD.unlink(missing_ok=True)
        raise NoEngine(f"dockerd ended at once: {_last_line(LOG)}", look=f"tail -n 20 {LOG}")


def _launch() -> subprocess.Popen[bytes]:
    RUN.mkdir(parents=True, exist_ok=True)
    command = [shutil.which("dockerd") or "dockerd"]
    if oci_shim.needed():
        command += ["--add-runtime", f"kubelab={oci_shim.install()}", "--default-runtime=kubelab"]
    # The pid files of an engine that died would keep the next one from starting.
    for file, program in ((PID_FILE, b"dockerd"), (CONTAINERD_PID_FILE, b"containerd")):
        if _running(file, program) is None:
            file.unlink(missing_ok=True)
    with LOG.open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            close_fds=True,
        )
    record = {"pid": process.pid, "command": command, "started": time.time()}
    RECORD.write_text(json.dumps(record), encoding="utf-8")
    return process


def _answers(process: subprocess.Popen[bytes]) -> bool:
    """Whether a dockerd came to answer; False where it ended. Raises NoEngine where it hangs."""

    def decided() -> bool:
        answers = _server_version() or (_way() and _answers_here())
        return process.poll() is not None or bool(answers)

    if not _wait_until(decided, START_TIMEOUT):
        raise NoEngine(
            f"dockerd does not answer after {START_TIMEOUT:.0f} s.", look=f"tail -n 20 {LOG}"
        )
    if process.poll() is not None:
        return False
    process.returncode = 0  # It goes on without this process, which must not complain.
    return True


def started_by_us() -> int | None:
    """The process id of the dockerd that the course started, while it runs."""
    try:
        record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
        pid = int(record["pid"])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, KeyError):
        return None
    # The number may belong to another process by now.
    return pid if b"dockerd" in command and alive(pid) else None


def _running(file: Path, program: bytes) -> int | None:
    """The process that a pid file names, if it is one of this program."""
    try:
        pid = int(file.read_text(encoding="ascii"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if program in command else None


def _raise_inotify_instances() -> None:
    with suppress(OSError):  # In some containers it can't be changed; `./lab doctor` tells it.
        if int(INOTIFY.read_text(encoding="ascii")) < INOTIFY_INSTANCES:
            INOTIFY.write_text(str(INOTIFY_INSTANCES), encoding="ascii")


def _forward() -> None:
    """Forward packets between the nodes, without which dockerd does not start."""
    try:
        if FORWARDING.read_text(encoding="ascii").strip() != "1":
            FORWARDING.write_text("1", encoding="ascii")
    except OSError as error:
        raise NoEngine(
            f"No container engine can run here: IP forwarding is off, and {FORWARDING} can't be "
            f"written: {error.strerror}.",
            look="sysctl -w net.ipv4.ip_forward=1",
        ) from error


def _last_line(file: Path) -> str:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return "no log"
    return lines[-1][:300] if lines else "no log"


def _wait_until(condition: Any, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
