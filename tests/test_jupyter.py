"""JupyterLab started, found again and stopped for real, on loopback and without a cluster."""

import contextlib
import errno
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubelab import browser, jupyter, jupyter_files
from kubelab.errors import EnvironmentFault
from kubelab.site import ROOT, Site

pytestmark = pytest.mark.timeout(90)


def a_site(root: Path) -> Site:
    (root / "notebooks").mkdir()
    (root / "notebooks" / "02-pods.ipynb").write_text("{}")
    (root / "notebooks" / "04-rolling-updates.ipynb").write_text("{}")
    return Site("kubelab-test", root=root)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = a_site(tmp_path)
    yield made
    jupyter.stop(made)


@pytest.fixture(scope="module")
def busy() -> Iterator[None]:
    """Somebody else holds the port that the course would take."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Where the port is held already, it is busy all the same.
        with contextlib.suppress(OSError):
            other.bind(("127.0.0.1", jupyter_files.PORT))
            other.listen()
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a user whose own Jupyter would end at its start."""
    folder = tmp_path_factory.mktemp("home")
    (folder / ".jupyter").mkdir()
    (folder / ".jupyter" / "jupyter_server_config.py").write_text("raise SystemExit('used')\n")
    return folder


def left(site: Site, pid: int, port: int) -> None:
    """What a server of the site wrote about itself when it started."""
    record = {"pid": pid, "port": port, "token": "its-token"}
    file = site.state / "jupyter" / "runtime" / f"jpserver-{pid}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(record))
    file.chmod(0o600)


@pytest.fixture(scope="module")
def dead() -> int:
    """The process id of a server that was killed."""
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        process.wait()
    return process.pid


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory, busy: None, home: Path, dead: int
) -> Iterator[Site]:
    """A site whose JupyterLab was started by a process that has ended; its tests only read.

    The one before it was killed. It takes seconds to start one, so there is one for all.
    """
    made = a_site(tmp_path_factory.mktemp("site"))
    left(made, dead, 1)
    program = (
        "from pathlib import Path; from kubelab import jupyter; from kubelab.site import Site;"
        f"print(jupyter.start(Site('kubelab-test', root=Path({str(made.root)!r}))))"
    )
    own = {
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / ".jupyter"),
        "JUPYTER_TOKEN": "the-users-token",
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        env=os.environ | own,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("JupyterInfo(")
    yield made
    assert jupyter.stop(made)
    assert not jupyter.stop(made)


@pytest.fixture
def running(shared: Site) -> jupyter.JupyterInfo:
    return jupyter.start(shared)


def get(info: jupyter.JupyterInfo, path: str, token: str) -> tuple[int, bytes]:
    address = f"http://127.0.0.1:{info.port}{path}"
    request = urllib.request.Request(address, headers={"Authorization": f"token {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b""


def test_a_second_start_finds_the_first(shared: Site) -> None:
    first = jupyter.start(shared)
    assert f"http://127.0.0.1:{first.port}/lab/tree/02-pods.ipynb?token=" in first.url
    second = jupyter.start(shared, "04-rolling-updates.ipynb")
    assert (second.pid, second.port) == (first.pid, first.port)
    assert "/lab/tree/04-rolling-updates.ipynb?" in second.url
    assert jupyter.status(shared) == {"url": first.url, "port": first.port, "pid": first.pid}


def test_the_server_outlives_the_process_that_started_it(running: jupyter.JupyterInfo) -> None:
    assert os.getsid(running.pid) == running.pid
    assert os.getsid(running.pid) != os.getsid(0)


def test_a_busy_port_is_passed_over(running: jupyter.JupyterInfo) -> None:
    assert running.port != jupyter_files.PORT


def test_any_free_port_is_taken_where_all_of_the_usual_ones_are_busy(
    site: Site, busy: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jupyter_files, "PORT_RETRIES", 0)
    info = jupyter.start(site)
    assert info.port not in (0, jupyter_files.PORT)
    assert get(info, "/api/status", info.token)[0] == 200
    log = jupyter._log(site).read_text()
    assert f"port {jupyter_files.PORT} is not available" in log


def test_the_users_own_jupyter_is_neither_used_nor_changed(
    running: jupyter.JupyterInfo, home: Path
) -> None:
    assert running.token != "the-users-token"
    assert [path.name for path in home.rglob("*")] == [".jupyter", "jupyter_server_config.py"]


def test_the_server_answers_only_to_its_token_on_loopback(running: jupyter.JupyterInfo) -> None:
    assert get(running, "/api/contents", running.token)[0] == 200
    assert get(running, "/api/contents", "another")[0] == 403
    listening = Path("/proc/net/tcp").read_text()
    assert f"0100007F:{running.port:04X}" in listening
    assert f"00000000:{running.port:04X}" not in listening


def test_only_the_kernel_of_the_course_is_offered(running: jupyter.JupyterInfo) -> None:
    specs = json.loads(get(running, "/api/kernelspecs", running.token)[1])
    assert list(specs["kernelspecs"]) == ["kubelab"]
    assert specs["default"] == "kubelab"


def test_no_language_server_is_looked_for(running: jupyter.JupyterInfo) -> None:
    """The search runs npm, which writes logs into the user's home."""
    assert json.loads(get(running, "/lsp/status", running.token)[1])["specs"] == {}


def test_a_link_is_told_from_the_text_around_it_by_more_than_its_colour(
    running: jupyter.JupyterInfo,
) -> None:
    assert b"custom/custom.css" in get(running, "/lab", running.token)[1]
    assert b"underline" in get(running, "/custom/custom.css", running.token)[1]


def test_news_and_update_questions_are_off(running: jupyter.JupyterInfo) -> None:
    name = "@jupyterlab/apputils-extension:notification"
    answer = json.loads(get(running, f"/lab/api/settings/{name}", running.token)[1])
    assert answer["schema"]["properties"]["fetchNews"]["default"] == "false"
    assert answer["schema"]["properties"]["checkForUpdates"]["default"] is False


def test_a_dead_server_is_replaced(running: jupyter.JupyterInfo, dead: int) -> None:
    assert running.pid != dead


def test_a_server_that_hangs_is_ended(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts connections, answers none, and does not listen to SIGTERM."""
    script = (
        "import signal, socket, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "server = socket.create_server(('127.0.0.1', 0));"
        "print(server.getsockname()[1], flush=True); signal.pause()"
    )
    command = [sys.executable, "-c", script, "-m", "jupyterlab", str(site.work)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        left(site, process.pid, int(process.stdout.readline()))
        monkeypatch.setattr(jupyter, "ANSWER_SECONDS", 0.2)
        monkeypatch.setattr(jupyter, "STOP_SECONDS", 0.4)
        assert jupyter.status(site) is None
        assert jupyter.stop(site)
        assert process.wait() == -signal.SIGKILL
    assert not jupyter.stop(site)


def test_somebody_elses_process_of_that_number_is_left_alone(site: Site) -> None:
    """After a restart of the machine the number in the file may be anybody's."""
    with subprocess.Popen(["sleep", "60"]) as process:
        left(site, process.pid, 1)
        assert not jupyter.stop(site)
        assert process.poll() is None
        process.kill()


def test_a_start_that_fails_says_the_last_line_of_the_log(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho begun\necho 'No module named jupyterlab' >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(EnvironmentFault, match="ended with exit code 1: No module named jupyter"):
        jupyter.start(site)


def test_a_start_that_hangs_is_ended_at_its_time_limit(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jupyter, "START_SECONDS", 0.2)
    with pytest.raises(EnvironmentFault, match="does not answer after 0 s"):
        jupyter.start(site)
    assert jupyter.status(site) is None


def test_a_start_that_is_interrupted_leaves_no_server(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[subprocess.Popen[bytes]] = []

    def interrupted(_: Site, process: subprocess.Popen[bytes], __: str) -> None:
        begun.append(process)
        raise KeyboardInterrupt

    monkeypatch.setattr(jupyter, "_answering", interrupted)
    with pytest.raises(KeyboardInterrupt):
        jupyter.start(site)
    assert len(begun) == 1
    assert begun[0].returncode is not None


def test_the_start_page_opens_first_where_there_is_one(tmp_path: Path) -> None:
    names = ["02-pods.ipynb", "index.ipynb", "04-rolling-updates.ipynb"]
    assert jupyter_files.opening([tmp_path / name for name in names]) == "index.ipynb"
    assert jupyter_files.opening([tmp_path / name for name in names[::2]]) == "02-pods.ipynb"
    assert jupyter_files.opening([]) == ""


def test_copies_are_made_once_and_never_overwritten(site: Site) -> None:
    jupyter.copies(site)
    mine = site.work / "02-pods.ipynb"
    mine.write_text("my own work")
    (site.root / "notebooks" / "05-ingress.ipynb").write_text("{}")
    assert [path.name for path in jupyter.copies(site)] == [
        "02-pods.ipynb",
        "04-rolling-updates.ipynb",
        "05-ingress.ipynb",
    ]
    assert mine.read_text() == "my own work"


def test_a_copy_that_is_cut_in_the_middle_is_made_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(file: Path, content: bytes) -> int:
        with file.open("wb") as out:
            out.write(content[:1])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", cut)
        with pytest.raises(KeyboardInterrupt):
            jupyter.copies(site)
    assert not list(site.work.iterdir())
    (first, *_) = jupyter.copies(site)
    assert first.read_bytes() == (site.root / "notebooks" / first.name).read_bytes()


def test_a_copy_that_another_process_made_meanwhile_is_kept(tmp_path: Path) -> None:
    source, target = tmp_path / "source.ipynb", tmp_path / "target.ipynb"
    source.write_text("{}")
    target.write_text("my own work")
    jupyter_files.copy(source, target)
    assert target.read_text() == "my own work"
    assert sorted(tmp_path.iterdir()) == [source, target]


def test_copies_are_made_where_files_have_no_links(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", without)
    assert all(path.is_file() for path in jupyter.copies(site))
    assert not list(site.work.glob(".*"))


def test_the_token_is_readable_by_its_owner_only(shared: Site) -> None:
    folder = shared.state / "jupyter" / "runtime"
    files = [*folder.glob("jpserver-*.json")]
    assert files
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_no_browser_is_opened_where_there_is_no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(browser, "is_wsl", lambda: False)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not jupyter.open_browser("http://127.0.0.1:1/lab")


def test_under_wsl_the_windows_browser_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "wslview"
    program.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(browser, "is_wsl", lambda: True)
    assert jupyter.open_browser("http://127.0.0.1:1/lab")
    assert (tmp_path / "opened").read_text() == "http://127.0.0.1:1/lab\n"


@pytest.mark.parametrize("own", ["", "export KUBECONFIG=~/.kube/config\n", "unset KUBECONFIG\n"])
def test_a_terminal_has_the_commands_of_the_course_and_its_cluster(
    site: Site, tmp_path: Path, own: str
) -> None:
    (tmp_path / ".bashrc").write_text(own)
    done = subprocess.run(
        [
            "bash",
            "--rcfile",
            str(jupyter_files.TERMINAL),
            "-i",
            "-c",
            "printenv KUBECONFIG | tr '\\n' :; echo $PATH; pwd",
        ],
        env=jupyter_files.environment(site) | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    first, folder = done.stdout.splitlines()[-2:]
    assert first.startswith(f"{site.current_kubeconfig}:{site.root}:")
    assert folder
