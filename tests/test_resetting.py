"""`reset`: saves first, begins anew, can be interrupted at any step and run again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes import FakeCluster, pod
from test_learner import cluster, site

from kubelab import learner, removal, resetting
from kubelab.api import SYSTEM, Refused
from kubelab.cli import main
from kubelab.commands import reset
from kubelab.errors import UsageError
from kubelab.objects import meta
from kubelab.proofs import Proofs, Undo
from kubelab.site import Site

__all__ = ["cluster", "site"]


@pytest.fixture
def started(site: Site, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """A started lab that holds a Pod of the learner's."""
    monkeypatch.setattr(resetting, "connect", lambda _: cluster)
    monkeypatch.setattr(reset, "here", lambda: site)
    monkeypatch.setattr(removal, "STEP", 0)
    learner.start(site, "90")
    cluster.put("Pod", pod(), "lab-90")
    cluster.calls.clear()
    return cluster


def saved(site: Site) -> list[Path]:
    return sorted(site.work.rglob("saved-*.yaml"))


def test_the_work_is_saved_before_anything_is_removed(site: Site, started: FakeCluster) -> None:
    done = resetting.reset(site, "90")
    (file,) = saved(site)
    assert done.saved == file
    (body,) = yaml.safe_load_all(file.read_text(encoding="utf-8"))
    assert body["metadata"]["name"] == "web"
    assert started.get("Pod", "web", "lab-90") is None
    assert learner.started(started, "lab-90")


def test_what_cannot_be_saved_is_not_removed(
    site: Site, started: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(learner, "save_lab", full)
    with pytest.raises(OSError, match="no space"):
        resetting.reset(site, "90")
    assert started.get("Pod", "web", "lab-90") is not None
    assert learner.started(started, "lab-90")


def test_proofs_and_records_of_before_are_forgotten(site: Site, started: FakeCluster) -> None:
    asked = []
    started.answer = lambda question: asked.append(question) or []
    started.put("ConfigMap", {"metadata": {"name": "proofs-lab-90"}}, SYSTEM)
    resetting.reset(site, "90")
    assert started.get("ConfigMap", "proofs-lab-90", SYSTEM) is None
    assert asked == [{"namespace": "lab-90"}]


def test_what_cannot_be_put_back_does_not_hold_a_reset(
    site: Site, started: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is told to begin anew must be able to."""
    create = started.create

    def picky(kind: str, body: Any, *place: Any, **more: Any) -> Any:
        if kind == "Service":
            raise Refused("no room")
        return create(kind, body, *place, **more)

    monkeypatch.setattr(started, "create", picky)
    undo = Undo("Service", "web", body={"metadata": {"name": "web"}})
    Proofs(started, "lab-90").promise(undo)
    resetting.reset(site, "90")
    assert learner.started(started, "lab-90")
    assert Proofs(started, "lab-90").promised() == []


def test_a_lab_that_is_not_there_is_made(site: Site, started: FakeCluster) -> None:
    started.delete("Namespace", "lab-90")
    assert resetting.reset(site, "90").saved is None
    assert learner.started(started, "lab-90")


@pytest.mark.parametrize("step", ["save_lab", "remove", "forget", "create"])
def test_interrupted_at_any_step_it_ends_whole_when_run_again(
    site: Site, started: FakeCluster, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(removal if step == "remove" else learner, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            resetting.reset(site, "90")
    resetting.reset(site, "90")
    assert len(saved(site)) == 1
    assert started.get("Pod", "web", "lab-90") is None
    assert learner.started(started, "lab-90")


def test_half_a_namespace_is_never_saved_as_the_learners_work(
    site: Site, started: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        started.delete("Pod", "web", "lab-90")
        started.put("ConfigMap", {"metadata": {"name": "left"}}, "lab-90")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(removal, "remove", interrupted)
        with pytest.raises(KeyboardInterrupt):
            resetting.reset(site, "90")
    again = resetting.reset(site, "90")
    assert [again.saved] == saved(site)
    assert "left" not in saved(site)[0].read_text(encoding="utf-8")


def test_a_start_ends_an_interrupted_reset_too(
    site: Site, started: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(removal, "remove", interrupted)
        with pytest.raises(KeyboardInterrupt):
            resetting.reset(site, "90")
    assert not learner.started(started, "lab-90")
    assert learner.start(site, "90") is True
    assert started.get("Pod", "web", "lab-90") is None


def test_a_namespace_that_is_not_the_labs_is_left_alone(site: Site, started: FakeCluster) -> None:
    started.put("Namespace", {"metadata": {"name": "default"}})
    with pytest.raises(UsageError, match="default does not belong to lab 90"):
        resetting.reset(site, "90", "default")
    assert started.get("Namespace", "default") is not None


def test_work_of_another_namespace_has_a_folder_of_its_own(
    site: Site, started: FakeCluster
) -> None:
    learner.start(site, "90", namespace="ann-lab-90")
    started.put("Pod", pod(), "ann-lab-90")
    done = resetting.reset(site, "90", "ann-lab-90")
    assert done.saved is not None
    assert done.saved.parent == site.work / "90" / "ann-lab-90"
    assert started.get("Pod", "web", "lab-90") is not None
    found = meta(started.get("Namespace", "ann-lab-90") or {})
    assert learner.STARTED in found["annotations"]


def test_the_command_asks_and_where_nobody_is_there_it_is_usage(
    site: Site,
    started: FakeCluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert main(["reset", "90"]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "look: ./lab reset 90 --yes"
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "no")
    assert main(["reset", "90"]) == 2
    assert started.get("Pod", "web", "lab-90") is not None
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    assert main(["reset", "90"]) == 0
    assert f"Your objects are saved: {saved(site)[0]}" in capsys.readouterr().out


def test_interrupted_it_says_so_with_130(
    site: Site,
    started: FakeCluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(removal, "remove", interrupted)
    assert main(["reset", "90", "--yes"]) == 130
    assert "Run `./lab reset` again" in capsys.readouterr().err
