"""kind and kubectl are taken where their versions fit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kubelab import machine, site, tools
from kubelab.errors import EnvironmentFault
from kubelab.nodeimage import sources


def command(folder: Path, name: str, says: str) -> Path:
    """A program that prints one line."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{says}'\n")
    file.chmod(0o755)
    return file


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")


def test_versions_are_read_by_major_and_minor() -> None:
    assert tools.minor("kind v0.33.0 go1.26.8 linux/amd64") == (0, 33)
    assert tools.minor("Client Version: v1.32.4-dispatcher") == (1, 32)
    assert tools.minor("no version") == (0, 0)


def test_a_kubectl_one_minor_version_off_is_used(tmp_path: Path) -> None:
    found = command(tmp_path / "bin", "kubectl", "Client Version: v1.36.1")
    assert tools.kubectl() == found


def test_a_kubectl_that_is_too_old_is_not_used(tmp_path: Path) -> None:
    command(tmp_path / "bin", "kubectl", "Client Version: v1.32.4")
    with pytest.raises(EnvironmentFault, match="kubectl is not there yet"):
        tools.kubectl()


def test_the_courses_own_kubectl_comes_first(tmp_path: Path) -> None:
    command(tmp_path / "bin", "kubectl", "Client Version: v1.37.0")
    site.tools().mkdir(parents=True)
    own = command(site.tools(), "kubectl", "Client Version: v1.37.2")
    assert tools.kubectl() == own


def test_another_kind_is_not_used(tmp_path: Path) -> None:
    command(tmp_path / "bin", "kind", "kind v0.17.0 go1.19.2 linux/amd64")
    with pytest.raises(EnvironmentFault, match="kind is not there yet"):
        tools.kind()


@pytest.mark.parametrize(
    ("system", "machine", "ending"),
    [
        ("Linux", "x86_64", "kind-linux-amd64"),
        ("Linux", "aarch64", "kind-linux-arm64"),
        ("Darwin", "arm64", "kind-darwin-arm64"),
    ],
)
def test_the_release_fits_system_and_architecture(system: str, machine: str, ending: str) -> None:
    found = tools.release(system, machine, sources.load({}).kind)
    assert found is not None
    url, sha256 = found
    assert url.startswith("https://")
    assert url.endswith(ending)
    assert len(sha256) == 64


@pytest.mark.parametrize("says", ["", "Client Version: v1.32.4", "Client Version: v1.39.0"])
def test_elsewhere_than_on_linux_a_kubectl_that_fits_must_be_there(
    says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node image's is no program there: it is not even looked at."""
    command(tmp_path / "bin", "kubectl", says)
    monkeypatch.setattr(tools.platform, "system", lambda: "Darwin")

    class Untouched:
        def run(self, *words: str, **_: object) -> str:
            raise AssertionError(words)

    with pytest.raises(EnvironmentFault, match=r"none from 1\.36 to 1\.38 is on the PATH") as fault:
        tools.ensure(Untouched(), "kubelab/node:1", tmp_path / "log")  # type: ignore[arg-type]
    assert fault.value.look == "brew install kubernetes-cli"
    assert machine.kubectl()["kubectl"].message == fault.value.message
    monkeypatch.setattr(tools.platform, "system", lambda: "Linux")
    tools.require_kubectl()
    assert machine.kubectl() == {}


def test_a_kubectl_that_fits_is_enough_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(tmp_path / "bin", "kubectl", "Client Version: v1.38.0")
    monkeypatch.setattr(tools.platform, "system", lambda: "Darwin")
    tools.require_kubectl()
    assert machine.kubectl() == {}


def test_a_machine_without_a_release_builds_kind() -> None:
    assert tools.release("Darwin", "x86_64", sources.load({}).kind) is None
