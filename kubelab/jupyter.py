"""JupyterLab on the learner's copies of the notebooks: started once, found again, stopped."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubelab.browser import open_browser
from kubelab.errors import EnvironmentFault
from kubelab.jupyter_files import (
    copies,
    environment,
    first_opened,
    folder,
    kernelspec,
    opened,
    opening,
    write,
)
from kubelab.progress import alive
from kubelab.site import Site

__all__ = ["JupyterInfo", "copies", "kernelspec", "open_browser", "start", "status", "stop"]

START_SECONDS = 30.0
STOP_SECONDS = 10.0
ANSWER_SECONDS = 3.0
# Loopback is never reached through the user's proxy.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class JupyterInfo:
    """A running JupyterLab; `url` opens a notebook and carries the token."""

    url: str
    port: int
    token: str
    pid: int


def start(site: Site, notebook: str | None = None) -> JupyterInfo:
    """Find the site's JupyterLab or start it; `url` opens `notebook`, else the start page.

    `notebook` is the name of a committed one; what opens is the copy in the learner's language.

    Raises EnvironmentFault, with the log's last line, where it does not answer in 30 s.
    """
    state = folder(site)
    with _lock(state / "lock"):
        made = copies(site)
        name = notebook or opening(made)
        first = opened(site, name) if name else ""
        running = _running(site, first)
        if running:
            return running
        write(site, first)
        return _begin(site, first)


def stop(site: Site) -> bool:
    """Stop the site's JupyterLab and its kernels; False where none ran."""
    info = _running(site)
    if info:
        _ask(info, "/api/shutdown", method="POST")
        _until(lambda: not alive(info.pid), STOP_SECONDS)
    found = info is not None
    for file in _info_files(site):
        pid = int(file.stem.rpartition("-")[2])
        if _is_ours(site, pid):
            found = True
            _end(pid)
        file.unlink(missing_ok=True)
    return found


def status(site: Site) -> dict[str, Any] | None:
    """The running JupyterLab as `url`, `port` and `pid`; None where none answers."""
    info = _running(site, first_opened(site))
    return {"url": info.url, "port": info.port, "pid": info.pid} if info else None


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    """Two `open` at once start one JupyterLab."""
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _begin(site: Site, first: str) -> JupyterInfo:
    """Start the server, and where it ends at once, again at whichever port the system gives."""
    for any_port in (False, True):
        process = _launch(site, any_port)
        try:
            info = _answering(site, process, first)
        except BaseException:
            # Not answering yet, it would not be found, and the next start would add a second one.
            _end_child(process)
            raise
        if info:
            process.returncode = 0  # It goes on without this process, which must not complain.
            return info
        if process.poll() is None:
            _end_child(process)
            why = f"does not answer after {START_SECONDS:.0f} s"
            break
        why = f"ended with exit code {process.returncode}"
    raise EnvironmentFault(f"JupyterLab {why}: {_last_line(site)}", look=f"cat {_log(site)}")


def _launch(site: Site, any_port: bool) -> subprocess.Popen[bytes]:
    """Start the server in a session of its own: it outlives the terminal."""
    # The folder in the command tells this server from the user's other ones.
    command = [sys.executable, "-P", "-m", "jupyterlab", f"--ServerApp.root_dir={site.work}"]
    if any_port:
        command += ["--ServerApp.port=0", "--ServerApp.port_retries=0"]
    with _log(site).open("ab" if any_port else "wb") as log:
        return subprocess.Popen(
            command,
            cwd=site.work,
            env=environment(site),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _answering(site: Site, process: subprocess.Popen[bytes], first: str) -> JupyterInfo | None:
    """The server once it answers; None where it ends before, or its time is over."""
    found: list[JupyterInfo] = []

    def up() -> bool:
        info = None if process.poll() is not None else _running(site, first)
        found.extend([info] if info else [])
        return bool(info) or process.returncode is not None

    _until(up, START_SECONDS)
    return found[0] if found else None


def _log(site: Site) -> Path:
    return site.state / "jupyter.log"


def _last_line(site: Site) -> str:
    lines = [s for s in _log(site).read_text(errors="replace").splitlines() if s.strip()]
    return lines[-1].strip()[:300] if lines else "its log is empty"


def _info_files(site: Site) -> list[Path]:
    """What Jupyter servers of this site wrote about themselves (`jpserver-PID.json`)."""
    return sorted((site.state / "jupyter" / "runtime").glob("jpserver-[0-9]*.json"))


def _running(site: Site, notebook: str = "") -> JupyterInfo | None:
    for file in _info_files(site):
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
            port, token, pid = int(record["port"]), str(record["token"]), int(record["pid"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        page = f"lab/tree/{notebook}" if notebook else "lab"
        url = f"http://127.0.0.1:{port}/{page}?token={token}"
        info = JupyterInfo(url=url, port=port, token=token, pid=pid)
        if alive(pid) and _ask(info, "/api/status"):
            return info
    return None


def _ask(info: JupyterInfo, path: str, method: str = "GET") -> bool:
    """Whether the server answers with success; the token proves that it is this one."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{info.port}{path}",
        method=method,
        headers={"Authorization": f"token {info.token}"},
    )
    try:
        with _direct.open(request, timeout=ANSWER_SECONDS) as answer:
            return bool(answer.status < 300)
    except (OSError, ValueError):
        return False


def _is_ours(site: Site, pid: int) -> bool:
    """Whether `pid` still is a JupyterLab of this site, not a later process of that number."""
    if not alive(pid):
        return False
    try:
        command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        ps = ["ps", "-p", str(pid), "-o", "command="]
        command = subprocess.run(ps, capture_output=True, text=True, check=False).stdout
    return "jupyterlab" in command and str(site.work) in command


def _end_child(process: subprocess.Popen[bytes]) -> None:
    _end(process.pid)
    process.wait()


def _end(pid: int) -> None:
    for kind in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, kind)
        except ProcessLookupError:
            return
        if _until(lambda: not alive(pid), STOP_SECONDS / 2):
            return


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until the condition holds; False when `seconds` are over first."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.1)
    return True
