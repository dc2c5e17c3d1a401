"""`./lab down`: objects are saved first, everything stops, work/ stays."""

import errno
import shutil
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kubelab import cli, cluster, engine, jupyter, learner, nodeimage
from kubelab.commands import down
from kubelab.errors import EnvironmentFault, NoCluster, NoEngine
from kubelab.site import Site


class Machine:
    """A machine with everything on it; `log` keeps what was stopped, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.log: list[str] = []
        self.site = Site(root=tmp_path / "course")
        self.saved: list[Path] | Exception = [self.site.work / "02" / "saved.yaml"]
        self.engine: Any = SimpleNamespace()
        self.cache = tmp_path / "cache"
        for folder in (self.site.work, self.site.state / "labs" / "02", self.site.environment):
            folder.mkdir(parents=True)
        self.cache.mkdir()
        monkeypatch.setattr(down, "here", lambda: self.site)
        monkeypatch.setattr(down, "cache", lambda: self.cache)
        monkeypatch.setattr(engine, "find", lambda: self.engine)
        monkeypatch.setattr(engine, "stop_ours", lambda: self.did("engine"))
        monkeypatch.setattr(cluster, "exists", lambda site, docker: True)
        monkeypatch.setattr(cluster, "delete", lambda site, docker: self.did(site.name))
        monkeypatch.setattr(jupyter, "stop", lambda site: self.did("jupyter"))
        monkeypatch.setattr(learner, "save", lambda site: self.save())
        monkeypatch.setattr(nodeimage, "remove", lambda docker: self.did("images"))

    def did(self, what: str) -> bool:
        self.log.append(what)
        return True

    def save(self) -> list[Path]:
        self.did("save")
        if isinstance(self.saved, Exception):
            raise self.saved
        return self.saved


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(monkeypatch, tmp_path)


def test_objects_are_saved_first_and_the_engine_stops_last(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["down"]) == 0
    assert machine.log == ["save", "jupyter", "kubelab", "engine"]
    out = capsys.readouterr().out
    assert f"Saved {machine.site.work}/02/saved.yaml." in out
    assert machine.site.work.is_dir()
    assert machine.cache.is_dir()
    assert not (machine.site.state / "labs").exists()


def test_what_cannot_be_saved_is_not_thrown_away(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.saved = NoCluster("The API server does not answer.")
    assert cli.main(["down"]) == 4
    assert machine.log == ["save"]
    err = capsys.readouterr().err
    assert "Nothing was stopped." in err.replace("\n", " ")
    assert err.splitlines()[-1] == "look: ./lab up"
    assert cli.main(["down", "--yes"]) == 0
    assert "kubelab" in machine.log


def test_without_an_engine_there_is_nothing_to_save_or_remove(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.engine = None
    assert cli.main(["down"]) == 0
    assert machine.log == ["jupyter", "engine"]
    assert "No container engine answers" in capsys.readouterr().out


def test_purge_removes_all_but_the_work(machine: Machine) -> None:
    module = machine.cache / "go" / "module"
    module.mkdir(parents=True)
    (module / "file").touch()
    module.chmod(stat.S_IRUSR | stat.S_IXUSR)  # As Go leaves its modules.
    assert cli.main(["down", "--purge", "--yes"]) == 0
    assert machine.log == [
        "save", "jupyter", "kubelab", "jupyter", "kubelab-test", "images", "engine"
    ]  # fmt: skip
    for gone in (machine.cache, machine.site.state, machine.site.environment):
        assert not gone.exists()
    assert machine.site.work.is_dir()


def test_purge_starts_an_engine_that_is_off(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, machine.engine = machine.engine, None
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(engine, "connect", lambda: found)
    assert cli.main(["down", "--purge", "--yes"]) == 0
    assert "images" in machine.log


@pytest.mark.parametrize("there", ["docker", "dockerd"])
def test_purge_installs_no_engine(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, there: str
) -> None:
    """Where half of one is there, `up` would install the other."""

    def connect() -> None:
        pytest.fail("an engine was made whole")

    machine.engine = None
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}" if name == there else None)
    monkeypatch.setattr(engine, "connect", connect)
    assert cli.main(["down", "--purge", "--yes"]) == 0
    assert "images" not in machine.log
    assert not machine.cache.exists()


def test_purge_says_what_stays_where_the_engine_does_not_start(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise NoEngine("dockerd ended at once: no space left.")

    machine.engine = None
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(engine, "connect", refuse)
    assert cli.main(["down", "--purge", "--yes"]) == 0
    assert "images" not in machine.log
    assert "no space left. The course's images stay" in capsys.readouterr().out
    assert not machine.cache.exists()


def test_purge_without_anybody_to_ask_removes_nothing(machine: Machine) -> None:
    assert cli.main(["down", "--purge"]) == 2
    assert machine.log == []


@pytest.mark.parametrize(("answer", "code"), [("yes", 0), ("no", 2), ("", 2)])
def test_purge_asks_once(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda prompt: answer)
    assert cli.main(["down", "--purge"]) == code
    assert bool(machine.log) is (code == 0)


def test_a_foreign_cluster_stays(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def foreign(site: Site, docker: Any) -> bool:
        raise EnvironmentFault("There is a kind cluster that the course did not make.")

    monkeypatch.setattr(cluster, "exists", foreign)
    assert cli.main(["down"]) == 4
    assert machine.log == []


def test_a_folder_into_which_something_is_written_goes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a new environment, whose packages are compiled for a while."""
    folder, tries = tmp_path / "environment", iter([True, True])
    (folder / "one").mkdir(parents=True)
    remove = shutil.rmtree

    def removed(path: Path) -> None:
        if next(tries, False):
            raise OSError(errno.ENOTEMPTY, "Directory not empty")
        remove(path)

    monkeypatch.setattr(shutil, "rmtree", removed)
    down.remove(folder)
    assert not folder.exists()
    down.remove(folder)


def test_a_folder_that_does_not_go_is_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def removed(_: Path) -> None:
        raise OSError(errno.ENOTEMPTY, "Directory not empty")

    monkeypatch.setattr(shutil, "rmtree", removed)
    with pytest.raises(OSError, match="not empty"):
        down.remove(tmp_path)
