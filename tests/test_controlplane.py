"""The control plane: what is missing, and that it always comes back."""

from __future__ import annotations

import signal
import subprocess
from typing import Any

import pytest
from fakes import FakeCluster

from kubelab import controlplane
from kubelab.errors import BuildFailed, EnvironmentFault, NoCluster, UsageError
from kubelab.site import Site


def whole(but: str = "", ready: str = "True") -> Any:
    cluster = FakeCluster(Site())
    for name in controlplane.COMPONENTS:
        body = {
            "metadata": {
                "name": f"{name}-node",
                "labels": {"tier": "control-plane", "component": name},
            },
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        }
        if name != but:
            cluster.put("Pod", body, "kube-system")
    return cluster


def test_nothing_is_missing_where_all_are_ready_or_nobody_shows_them() -> None:
    assert controlplane.missing(whole()) == ()
    assert controlplane.missing(FakeCluster(Site())) == ()  # type: ignore[arg-type]


def test_a_stopped_component_is_told_with_the_one_command_that_mends() -> None:
    with pytest.raises(EnvironmentFault, match="kube-scheduler does not run") as told:
        controlplane.require(whole("kube-scheduler"))
    assert told.value.look == "./lab mend"
    assert told.value.exit_code == 4


def test_one_that_is_starting_is_waited_for() -> None:
    with pytest.raises(controlplane.Stopped, match="do not run"):
        controlplane.require(whole(ready="False"), patience=0.0)


def test_an_api_server_that_was_stopped_is_told_in_place_of_its_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def silent(_: Site) -> Any:
        raise NoCluster("No answer.", look="./lab doctor")

    monkeypatch.setattr(controlplane, "on_node", lambda *_, **__: "kube-apiserver\n")
    with pytest.raises(controlplane.Stopped, match="kube-apiserver does not run"):
        controlplane.connected(Site(), silent)
    monkeypatch.setattr(controlplane, "on_node", lambda *_, **__: "")
    with pytest.raises(NoCluster, match="No answer"):
        controlplane.connected(Site(), silent)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("scheduler", "kube-scheduler"),
        ("kube-apiserver", "kube-apiserver"),
        ("API-Server", "kube-apiserver"),
        ("etcd", "etcd"),
    ],
)
def test_a_component_may_be_named_in_short(said: str, meant: str) -> None:
    assert controlplane.component_of(said) == meant


def test_what_is_no_component_is_refused_with_the_list() -> None:
    with pytest.raises(UsageError, match="etcd, kube-apiserver"):
        controlplane.component_of("coredns")


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What the node was told to do."""
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(controlplane, "connected", lambda _: None)

    def on_node(_: Site, *words: str, **__: Any) -> str:
        told.append(words)
        return ""

    monkeypatch.setattr(controlplane, "on_node", on_node)
    return told


def test_the_component_is_stopped_for_the_command_and_comes_back(node: list[Any]) -> None:
    code = controlplane.without(Site(), "scheduler", ["sh", "-c", "exit 3"], {})
    assert code == 3
    assert node == [("stop", "kube-scheduler", "120"), ("mend",)]


def test_it_comes_back_also_after_ctrl_c(node: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        controlplane.without(Site(), "etcd", ["true"], {})
    assert node[-1] == ("mend",)


def test_a_second_ctrl_c_does_not_keep_it_away() -> None:
    before = signal.getsignal(signal.SIGINT)
    with controlplane.uninterrupted():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_what_can_not_be_mended_is_told_with_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def failed(*_: Any, **__: Any) -> str:
        raise BuildFailed("`docker exec` failed: etcd does not answer")

    monkeypatch.setattr(controlplane, "on_node", failed)
    with pytest.raises(EnvironmentFault, match="mended: etcd does not answer") as told:
        controlplane.mend(Site())
    assert "journalctl" in str(told.value.look)
