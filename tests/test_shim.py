"""The shim `lab`: with a stub for Python, which notes what it is asked to make."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kubelab.site import ROOT

# `calls` gets a word for each making; `hold` keeps pip at work, `fail` lets it fail.
STUB = """#!/bin/sh
case "$1 $2" in
  "-c "*ensurepip*) echo "$0" ;;
  "-c "*sysconfig*) mkdir -p "{root}/.venv/packages" && echo "{root}/.venv/packages" ;;
  "-c "*) exec {real} "$@" ;;
  "-m venv") echo venv >> "{root}/calls" && mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip")
    echo pip >> "{root}/calls"
    if [ -e "{root}/fail" ]; then echo "ERROR: No matching distribution"; exit 1; fi
    while [ -e "{root}/hold" ]; do sleep 0.02; done ;;
  "-m compileall") echo "$*" > "{root}/compiled" ;;
  "-P -m") shift 3; echo "in $(pwd)"; for word in "$@"; do echo "<$word>"; done ;;
esac
"""
TOOLS = ["cat", "chmod", "cmp", "cp", "cut", "grep", "id", "mkdir", "nice", "printf", "readlink"]
TOOLS += ["rm", "sleep", "tail"]


class Checkout:
    """A folder with the shim and nothing else, and a PATH with what it may use."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "course"
        self.programs = folder / "programs"
        self.root.mkdir()
        self.programs.mkdir()
        shutil.copy(ROOT / "lab", self.root)
        (self.root / "requirements.txt").write_text("one==1\n")
        for name in TOOLS:
            if found := shutil.which(name):
                (self.programs / name).symlink_to(found)

    def program(self, name: str, text: str) -> None:
        file = self.programs / name
        file.write_text(text)
        file.chmod(0o755)

    def python(self, name: str = "python3.12") -> str:
        text = STUB.format(root=self.root, real=sys.executable)
        self.program(name, text)
        return text

    def begin(self, *words: str, cwd: Path | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.root / "lab"), *words],
            cwd=cwd,
            env={"PATH": str(self.programs), "HOME": str(self.root)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str, timeout: float = 30) -> tuple[int, str, str]:
        process = self.begin(*words)
        out, err = process.communicate(timeout=timeout)
        return process.returncode, out, err

    def calls(self) -> list[str]:
        file = self.root / "calls"
        return file.read_text().split() if file.exists() else []


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path)
    made.python()
    return made


def test_the_first_use_makes_the_environment_with_one_line_and_hands_the_words_over(
    checkout: Checkout,
) -> None:
    code, out, err = checkout.run("check", "two words", "")
    assert code == 0
    assert out.splitlines()[1:] == ["<check>", "<two words>", "<>"]
    assert err == "Making the Python environment in .venv, once: about 60 s.\n"
    assert checkout.calls() == ["venv", "pip"]
    assert (checkout.root / ".venv/packages/kubelab.pth").read_text() == f"{checkout.root}\n"


def test_the_packages_are_compiled_beside_what_comes_next(checkout: Checkout) -> None:
    checkout.run()
    compiled = checkout.root / "compiled"
    until(lambda: compiled.exists() and compiled.read_text() != "")
    assert compiled.read_text() == f"-m compileall -q {checkout.root}/.venv/packages\n"


def test_the_second_use_makes_nothing_and_says_nothing(checkout: Checkout) -> None:
    checkout.run()
    assert checkout.run("status")[2] == ""
    assert checkout.calls() == ["venv", "pip"]


def test_changed_requirements_are_installed_into_the_environment(checkout: Checkout) -> None:
    checkout.run()
    (checkout.root / "requirements.txt").write_text("one==2\n")
    assert "once: about 60 s" in checkout.run()[2]
    assert checkout.calls() == ["venv", "pip", "pip"]
    checkout.run()
    assert checkout.calls() == ["venv", "pip", "pip"]


def test_an_interrupted_making_says_so_and_is_begun_anew(checkout: Checkout) -> None:
    (checkout.root / "hold").touch()
    process = checkout.begin("up")
    until(lambda: "pip" in checkout.calls())
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == "Interrupted. The next ./lab makes the environment anew."
    (checkout.root / "hold").unlink()
    assert checkout.run("up")[0] == 0
    assert checkout.calls() == ["venv", "pip", "venv", "pip"]


def test_a_killed_making_leaves_no_lock_and_is_begun_anew(checkout: Checkout) -> None:
    (checkout.root / "hold").touch()
    process = checkout.begin("up")
    until(lambda: "pip" in checkout.calls())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=20)
    (checkout.root / "hold").unlink()
    assert checkout.run("up")[0] == 0
    assert checkout.calls() == ["venv", "pip", "venv", "pip"]


def test_two_at_once_make_one_environment(checkout: Checkout) -> None:
    (checkout.root / "hold").touch()
    first = checkout.begin("one")
    until(lambda: "pip" in checkout.calls())
    second = checkout.begin("two")
    assert second.stderr is not None
    waiting = second.stderr.readline()
    assert waiting == "Another ./lab is making the Python environment; waiting for it.\n"
    (checkout.root / "hold").unlink()
    assert "<one>" in first.communicate(timeout=20)[0]
    assert "<two>" in second.communicate(timeout=20)[0]
    assert checkout.calls() == ["venv", "pip"]


def test_a_failed_making_is_one_sentence_and_a_command(checkout: Checkout) -> None:
    (checkout.root / "fail").touch()
    code, out, err = checkout.run("up")
    assert (code, out) == (4, "")
    assert err.splitlines()[1:] == [
        "The Python environment was not made: ERROR: No matching distribution",
        f"look: tail -n 20 {checkout.root}/.kubelab/environment.log",
    ]
    (checkout.root / "fail").unlink()
    assert checkout.run("up")[0] == 0


def test_a_moved_checkout_gets_an_environment_of_its_own(checkout: Checkout) -> None:
    checkout.run()
    moved = checkout.root.with_name("moved")
    checkout.root.rename(moved)
    checkout.root = moved
    checkout.python()
    assert checkout.run()[0] == 0
    assert checkout.calls() == ["venv", "pip", "venv", "pip"]


def test_it_is_called_through_links_and_stays_in_the_callers_folder(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.run()
    here = tmp_path / "elsewhere"
    here.mkdir()
    (here / "far").symlink_to(checkout.root / "lab")
    (here / "near").symlink_to("far")
    done = subprocess.run(
        ["./near", "x"],
        cwd=here,
        env={"PATH": str(checkout.programs)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"in {here}\n<x>\n"


def test_a_python_that_fails_is_passed_over(checkout: Checkout) -> None:
    checkout.program("python3.13", "#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n")
    assert checkout.run("x")[0] == 0


def test_without_python_a_user_is_told_in_one_sentence_what_to_install(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    code, out, err = checkout.run("up")
    assert (code, out) == (4, "")
    assert err.splitlines() == [
        "The course needs Python 3.11 or newer with its module venv: install it, then again.",
        "look: python3 --version",
    ]


def known_to_apt(checkout: Checkout, packages: dict[str, str]) -> None:
    """A Debian where this user is not root, and apt knows packages of these versions."""
    (checkout.programs / "id").unlink()
    checkout.program("id", "#!/bin/sh\necho 1000\n")
    checkout.program("apt-get", "#!/bin/sh\nexit 1\n")
    cases = "\n".join(
        f'{name}) echo "Package: {name}"; echo "Version: {version}"; exit ;;'
        for name, version in packages.items()
    )
    checkout.program("apt-cache", f'#!/bin/sh\ncase "$2" in\n{cases}\nesac\nexit 100\n')


@pytest.mark.parametrize(
    ("packages", "look"),
    [
        ({"python3": "3.11.2-1+b1", "python3-venv": "3.11.2-1+b1"}, "python3-venv"),
        ({"python3": "3.13.5-1", "python3-venv": "3.13.5-1"}, "python3-venv"),
        (
            {
                "python3": "3.10.6-1~22.04",
                "python3-venv": "3.10.6-1~22.04",
                "python3.11-venv": "3.11.0~rc1-1~22.04",
            },
            "python3.11-venv",
        ),
    ],
)
def test_a_user_of_debian_is_told_the_package_that_is_new_enough(
    tmp_path: Path, packages: dict[str, str], look: str
) -> None:
    checkout = Checkout(tmp_path)
    known_to_apt(checkout, packages)
    code, _, err = checkout.run("up")
    assert code == 4
    assert err.splitlines() == [
        "The course needs Python 3.11 or newer with its module venv.",
        f"look: sudo apt-get install {look}",
    ]


def test_where_apt_knows_none_its_lists_come_first(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    known_to_apt(checkout, {})
    code, _, err = checkout.run("up")
    assert code == 4
    wanted = "look: sudo apt-get update && sudo apt-get install python3-venv"
    assert err.splitlines()[-1] == wanted


def test_a_system_that_is_too_old_is_told(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    known_to_apt(checkout, {"python3": "3.9.2-3", "python3-venv": "3.9.2-3"})
    code, _, err = checkout.run("up")
    assert code == 4
    assert err.splitlines() == [
        "The course needs Python 3.11 or newer with its module venv, which this system's packages "
        "do not have: install it (https://docs.python.org/3/using/unix.html), then again.",
        "look: python3 --version",
    ]


def test_root_on_debian_gets_python_installed(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    text = checkout.python("python3.11")
    (checkout.programs / "python3.11").rename(checkout.root / "later")
    assert "venv" in text
    (checkout.programs / "id").unlink()
    checkout.program("id", "#!/bin/sh\necho 0\n")
    checkout.program(
        "apt-get",
        f"""#!/bin/sh
case "$*" in *python3-venv*) cp "{checkout.root}/later" "{checkout.programs}/python3.11" ;; esac
""",
    )
    code, out, err = checkout.run("x")
    assert code == 0, err
    assert "<x>" in out
    assert "installing Debian's" in err


def test_an_older_python_is_not_taken(tmp_path: Path) -> None:
    """The question that the shim asks, answered by this Python as if it were 3.10."""
    question = (ROOT / "lab").read_text().split("-c '", 1)[1].split("' 2>", 1)[0]
    older = "import sys\nsys.version_info = (3, 10, 4)\n"
    done = subprocess.run(
        [sys.executable, "-c", older + question], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""


@pytest.mark.timeout(120)
def test_a_real_environment_imports_the_package_where_it_lies(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    (checkout.root / "requirements.txt").write_text("# Nothing to install.\n")
    (checkout.programs / "python3").symlink_to(Path(sys.executable).resolve())
    package = checkout.root / "kubelab"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("import sys\nprint(sys.argv[1:], __file__)\n")
    code, out, err = checkout.run("x", timeout=100)
    assert code == 0, err
    assert out == f"['x'] {package}/__main__.py\n"
    python = checkout.root / ".venv/bin/python"
    done = subprocess.run([python, "-m", "kubelab"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0


def test_any_posix_shell_reads_it() -> None:
    for shell in ("sh", "dash", "bash"):
        if shutil.which(shell):
            subprocess.run([shell, "-n", ROOT / "lab"], check=True)
