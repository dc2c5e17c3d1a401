"""The notebooks' kernel, run for real by jupyter_client; no cluster is needed."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

from kubelab import jupyter, kernel
from kubelab.site import Site

SITE = Site("kubelab-test-kernel")
pytestmark = pytest.mark.timeout(60)


@dataclass
class Result:
    """What one cell printed, and the error that it ended with."""

    out: str = ""
    err: str = ""
    error: dict[str, Any] = field(default_factory=dict)

    def take(self, message: dict[str, Any]) -> None:
        content = message["content"]
        if message["msg_type"] == "stream":
            if content["name"] == "stdout":
                self.out += content["text"]
            else:
                self.err += content["text"]
        elif message["msg_type"] == "error":
            self.error = content


class Notebook:
    """A running kernel that runs cells."""

    def __init__(self, folder: Path) -> None:
        self.manager = KernelManager()
        self.manager._kernel_spec = KernelSpec(**jupyter.kernelspec(SITE))
        env = os.environ | {"JPY_SESSION_NAME": str(folder / "02-pods.ipynb")}
        self.manager.start_kernel(cwd=str(folder), env=env, stderr=sys.__stderr__)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=30)

    def run(self, source: str) -> Result:
        result = Result()
        self.client.execute_interactive(source, output_hook=result.take, timeout=20)
        return result

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()
        self.manager.context.destroy()


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    folder = tmp_path_factory.mktemp("work")
    # A learner's file that is named like a library.
    (folder / "random.py").write_text("raise SystemExit('the learner file was imported')\n")
    opened = Notebook(folder)
    yield opened
    opened.close()
    shutil.rmtree(SITE.state)


@pytest.fixture
def started() -> Iterator[None]:
    """Lab 02 looks started: its kubeconfig is there."""
    file = SITE.lab_kubeconfig("02")
    file.parent.mkdir(parents=True)
    file.touch()
    yield
    shutil.rmtree(SITE.state / "labs")


def test_a_cell_stops_at_the_first_failing_command(notebook: Notebook) -> None:
    result = notebook.run("%%bash\necho before\nls /no-such-file\necho after")
    assert result.out == "before\n"
    assert "No such file" in result.err
    assert result.error["traceback"] == [
        "The cell stopped at line 3, exit code 2: ls /no-such-file"
    ]


def test_the_failing_command_is_shown_whole_over_several_lines(notebook: Notebook) -> None:
    result = notebook.run("%%bash\ntrue\nls \\\n  /no-such-file\necho after")
    assert result.error["evalue"].endswith("line 3, exit code 2: ls /no-such-file")


def test_a_failure_inside_a_pipe_stops_the_cell(notebook: Notebook) -> None:
    assert notebook.run("%%bash\nfalse | cat\necho after").out == ""


def test_a_missing_variable_stops_the_cell(notebook: Notebook) -> None:
    result = notebook.run("%%bash\necho $NOT_SET_ANYWHERE\necho after")
    assert "unbound variable" in result.err
    assert result.out == ""


def test_a_cell_that_exits_says_its_code(notebook: Notebook) -> None:
    assert notebook.run("%%bash\nexit 3").error["evalue"] == "The cell ended with exit code 3."


def test_a_failure_that_the_cell_tolerates_stops_nothing(notebook: Notebook) -> None:
    result = notebook.run("%%bash\nls /no-such-file || echo tolerated")
    assert (result.out, result.error) == ("tolerated\n", {})


def test_a_script_that_a_cell_starts_keeps_its_own_rules(notebook: Notebook) -> None:
    result = notebook.run(
        "%%bash\nbash -c 'false; echo inner'\necho 'false; echo file' > s.sh\nbash s.sh"
    )
    assert (result.out, result.error) == ("inner\nfile\n", {})


def test_a_failing_shell_escape_stops_the_cell(notebook: Notebook) -> None:
    result = notebook.run("!ls /no-such-file\nprint('after')")
    assert "after" not in result.out
    assert result.error["traceback"] == ["The command failed: exit code 2."]


def test_a_python_error_keeps_its_traceback(notebook: Notebook) -> None:
    result = notebook.run("1 / 0")
    assert result.error["ename"] == "ZeroDivisionError"
    assert len(result.error["traceback"]) > 1


def test_a_cell_that_needs_a_terminal_is_not_run(notebook: Notebook) -> None:
    result = notebook.run("%%bash\necho before\nkubectl exec -it web -- sh")
    assert result.out == ""
    assert result.error["traceback"] == [
        "`kubectl exec -it` waits for a keyboard, and a cell has none, so this cell was not run.",
        "In a terminal: ./lab shell 02 -- kubectl exec -it web -- sh",
    ]


def test_kubectl_before_the_lab_is_started_says_what_to_do(notebook: Notebook) -> None:
    result = notebook.run("%%bash\nkubectl get pods")
    assert result.error["traceback"][0].startswith("Lab 02 is not started")
    assert result.error["traceback"][1].endswith("./lab start 02")


@pytest.mark.usefixtures("started")
def test_kubectl_in_a_started_lab_is_run(notebook: Notebook) -> None:
    cell = "%%bash\nkubectl() { echo ran $KUBECONFIG; }\nkubectl get pods"
    assert notebook.run(cell).out == f"ran {SITE.lab_kubeconfig('02')}\n"


def test_the_commands_of_the_course_come_first_on_the_path(notebook: Notebook) -> None:
    path = notebook.run("%%bash\necho $PATH").out.split(":")
    assert path[0] == str(SITE.root)
    assert str(Path(sys.executable).parent) in path


@pytest.mark.parametrize(
    ("notebook_path", "lab"),
    [
        ("02-pods.ipynb", "02"),
        ("/a/work/04-rolling-updates.ipynb", "04"),
        ("02-pods-Copy1.ipynb", "02"),
        ("notes.ipynb", None),
        ("", None),
    ],
)
def test_the_lab_follows_from_the_name_of_the_notebook(notebook_path: str, lab: str | None) -> None:
    assert kernel.lab_of(notebook_path) == lab


def test_a_notebook_without_a_lab_uses_the_lab_started_last() -> None:
    made = kernel.environment(SITE, {"JPY_SESSION_NAME": "notes.ipynb", "PATH": "/bin"})
    assert made["KUBECONFIG"] == str(SITE.current_kubeconfig)
