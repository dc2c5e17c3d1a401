"""`./lab up` as a user who is not root, on a machine where no engine answers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubelab import engine, jupyter, progress
from kubelab.site import ROOT, Site

pytestmark = pytest.mark.timeout(90)

NOBODY = 65534
# What an environment in root's own folder, and the tests' folders, need to be read; it writes as
# any user does.
READS_ALL = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
LEFT_OUT = shutil.ignore_patterns("tests", "bench", "work", "__pycache__", ".*")
# What `./lab` itself runs, where the environment is there.
PROGRAMS = ("cmp",)
ADVICE = {
    True: "No container engine answers: start Docker (Docker Desktop, or `sudo systemctl start "
    "docker`) and see that your user may use it.",
    False: "No container engine here: install Docker (https://docs.docker.com/engine/install/).",
}


@pytest.fixture
def user() -> list[str]:
    """The beginning of a command of a user who is not root."""
    if os.geteuid() != 0:
        return []
    words = [
        shutil.which("setpriv") or "setpriv",
        f"--reuid={NOBODY}",
        f"--regid={NOBODY}",
        "--clear-groups",
        *READS_ALL,
    ]
    try:
        subprocess.run([*words, sys.executable, "-c", ""], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"not run: root can't become a user who may read its environment: {error}")
    return words


@pytest.fixture
def course() -> Iterator[Path]:
    """A checkout of such a user's, with this environment as one that was made for it."""
    if sys.prefix == sys.base_prefix:
        pytest.skip("not run: these tests don't run in an environment of `./lab`")
    folder = Path(tempfile.mkdtemp()).resolve()
    made = folder / "course"
    shutil.copytree(ROOT, made, ignore=LEFT_OUT)
    (made / ".venv").mkdir()
    for one in Path(sys.prefix).iterdir():
        (made / ".venv" / one.name).symlink_to(one)
    for name, content in (
        ("made-for", f"{made}\n"),
        ("requirements.txt", (made / "requirements.txt").read_text()),
    ):
        (made / ".venv" / name).unlink(missing_ok=True)
        (made / ".venv" / name).write_text(content)
    for name in ("home", "programs"):
        (folder / name).mkdir()
    for name in PROGRAMS:
        (folder / "programs" / name).symlink_to(str(shutil.which(name)))
    if os.geteuid() == 0:
        for one in (folder, *folder.rglob("*")):
            os.chown(one, NOBODY, NOBODY, follow_symlinks=False)
    yield made
    jupyter.stop(Site(root=made))
    shutil.rmtree(folder)


def written(folder: Path) -> dict[Path, float]:
    """The files around a checkout and when they were written, but for what is the learner's."""
    own = {folder / "course" / name for name in ("work", ".kubelab")}
    return {
        one: one.lstat().st_mtime
        for one in folder.rglob("*")
        if one.is_file() and not own & {*one.parents} and "__pycache__" not in one.parts
    }


def test_one_sentence_says_what_to_do_and_nothing_else_is_touched(
    user: list[str], course: Path
) -> None:
    folder = course.parent
    before = written(folder)
    done = subprocess.run(
        [*user, str(course / "lab"), "up", "--no-open"],
        cwd=folder,
        env={
            "HOME": str(folder / "home"),
            "PATH": str(folder / "programs"),
            # In place of the path that the environment was made for.
            "PYTHONPATH": str(course),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    sentence = ADVICE[engine.SOCKET.exists()]
    assert done.returncode == 4, done.stderr
    assert " ".join(done.stderr.split()).endswith(f" {sentence} look: ./lab doctor"), done.stderr
    # The labs can be read all the same.
    assert done.stdout.startswith("The course's notebooks: http://127.0.0.1:"), done.stdout
    record = progress.read(Site(root=course).progress)
    assert record is not None
    assert (record["state"], record["message"]) == ("failed", sentence)
    assert written(folder) == before
