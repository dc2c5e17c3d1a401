"""`./lab up`: its steps, what is skipped where something is there, and how it ends."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kubelab import cluster, engine, jupyter, nodeimage, progress, tools
from kubelab.cluster import ClusterInfo
from kubelab.commands import up
from kubelab.errors import BuildFailed, EnvironmentFault
from kubelab.jupyter import JupyterInfo
from kubelab.progress import Stage
from kubelab.site import Site

INFO = ClusterInfo("kubelab", version="v1.37.2", nodes=3, http_port=8080, https_port=8443)
URL = "http://127.0.0.1:8888/lab/tree/02-pods.ipynb?token=t"


class Machine:
    """A machine where everything can be made; `log` keeps what was."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.log: list[str] = []
        self.site = Site(root=tmp_path)
        self.engine: Any = SimpleNamespace(has_image=lambda reference: self.image)
        self.runs = self.image = self.exists = False
        self.fault: dict[str, BaseException] = {}
        monkeypatch.setattr(engine, "find", lambda: self.engine if self.runs else None)
        monkeypatch.setattr(engine, "connect", lambda: self.did("connect", self.engine))
        monkeypatch.setattr(cluster, "exists", lambda site, docker: self.exists)
        monkeypatch.setattr(cluster, "image_of", lambda site, docker: "kubelab/node:old")
        monkeypatch.setattr(cluster, "ensure", self.ensure_cluster)
        monkeypatch.setattr(nodeimage, "plan", self.plan)
        monkeypatch.setattr(nodeimage, "ensure", lambda *_: self.did("image", "kubelab/node:new"))
        monkeypatch.setattr(nodeimage, "reference", lambda: "kubelab/node:new")
        monkeypatch.setattr(tools, "ensure", lambda *_: self.did("tools", None))
        monkeypatch.setattr(jupyter, "status", lambda site: None)
        info = JupyterInfo(URL, 8888, "t", 1)
        monkeypatch.setattr(jupyter, "start", lambda site: self.did("jupyter", info))
        monkeypatch.setattr(jupyter, "open_browser", lambda url: self.did("browser", True))

    def did(self, what: str, answer: Any) -> Any:
        self.log.append(what)
        if what in self.fault:
            raise self.fault[what]
        return answer

    def plan(self, docker: Any) -> tuple[str, list[Stage]]:
        return ("here", []) if self.image else ("pull", [Stage("pull", "Images", 100)])

    def ensure_cluster(self, site: Site, docker: Any, image: str, told: Any, log: Path) -> Any:
        for name in ("cluster", "addons"):
            with told.stage(name):
                self.did(f"{name} on {image}", None)
        return INFO

    def up(self, steps: tuple[up.Step, ...] = up.STEPS, *, browser: bool = False) -> up.Work:
        work = up.Work(self.site, self.site.log, browser=browser)
        up.everything(work, steps)
        return work


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(monkeypatch, tmp_path)


def test_from_nothing_jupyterlab_comes_first_and_the_cluster_last(machine: Machine) -> None:
    work = machine.up()
    node = "kubelab/node:new"
    assert machine.log == [
        "jupyter", "connect", "image", "tools", f"cluster on {node}", f"addons on {node}"
    ]  # fmt: skip
    assert work.cluster == INFO
    record = progress.read(machine.site.progress)
    assert record is not None
    assert record["state"] == "done"


@pytest.mark.parametrize("exists", [False, True])
def test_without_a_kubectl_for_this_system_nothing_long_begins(
    machine: Machine, exists: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.runs = machine.exists = exists
    monkeypatch.setattr(tools.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(tools.shutil, "which", lambda name: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(machine.site.root))
    with pytest.raises(EnvironmentFault, match="kubectl runs on Linux alone"):
        machine.up()
    assert machine.log == ["jupyter"]


def test_a_browser_opens_unless_it_is_not_wanted(machine: Machine) -> None:
    machine.up(browser=True)
    assert machine.log[:2] == ["jupyter", "browser"]


def test_a_cluster_that_is_there_needs_neither_image_nor_estimate(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.runs = machine.exists = True
    work = machine.up(up.CLUSTER)
    assert machine.log == ["tools", "cluster on kubelab/node:old", "addons on kubelab/node:old"]
    assert sum(stage.estimate for stage in work.progress.stages) < 10
    assert "older node image" in capsys.readouterr().err


def test_the_stages_are_planned_anew_once_it_is_known_how_the_image_comes(
    machine: Machine,
) -> None:
    work = up.Work(machine.site, machine.site.log)
    guessed = [stage.name for stage in up.stages(work, notebooks=True)]
    assert guessed[:2] == ["jupyter", "engine"]
    assert guessed[-3:] == ["tools", "cluster", "addons"]
    assert "kube" in guessed
    names = [stage.name for stage in machine.up().progress.stages]
    assert names == ["jupyter", "engine", "pull", "tools", "cluster", "addons"]


def test_an_image_that_is_here_has_no_stage(machine: Machine) -> None:
    machine.runs = machine.image = True
    names = [stage.name for stage in machine.up().progress.stages]
    assert names == ["jupyter", "tools", "cluster", "addons"]


@pytest.mark.parametrize(
    ("error", "state"),
    [(KeyboardInterrupt(), "interrupted"), (BuildFailed("No space."), "failed")],
)
def test_how_it_ended_is_kept_for_the_notebook(
    machine: Machine, error: BaseException, state: str
) -> None:
    machine.fault["image"] = error
    with pytest.raises(type(error)):
        machine.up()
    record = json.loads(machine.site.progress.read_text())
    assert record["state"] == state
    assert record["message"] in ("`./lab up` was interrupted.", "No space.")


def test_without_jupyterlab_the_cluster_is_made_all_the_same(machine: Machine) -> None:
    machine.fault["jupyter"] = EnvironmentFault("JupyterLab ended.")
    work = machine.up()
    assert work.cluster == INFO
    assert work.fault is machine.fault["jupyter"]


def test_the_last_two_lines_say_what_to_do_next(machine: Machine) -> None:
    lines = up.closing(machine.up(), "02")
    assert lines == [
        "Ready: Kubernetes v1.37.2 on 3 nodes, HTTP on port 8080, HTTPS on 8443.",
        f"Next: open {URL}",
        "In a terminal: ./lab start 02",
    ]
    assert len(lines[0]) <= 80
