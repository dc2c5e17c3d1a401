"""Programs from Go modules: built once, and only a whole folder is taken for the result."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from kubelab.errors import BuildFailed
from kubelab.nodeimage import gobuild, sources
from kubelab.site import cache

# Counts its builds. It tells of a package, writes half a program and does not end, unless a file
# says that it may; the same of modules.
GO = """#!/bin/sh
case "$1" in
  version) echo go version go99.0.0 linux/amd64 ;;
  mod) [ ! -e {folder}/slow ] || {{ echo "# get https://go.example"; exec sleep 60; }} ;;
  build)
    echo "$@" >> {folder}/builds
    for argument in "$@"; do
      [ "$previous" = -o ] && target=$argument
      previous=$argument
    done
    echo half > "$target"
    [ -e {folder}/broken ] && {{ echo "no space left"; exit 1; }}
    [ -e {folder}/endless ] && {{ echo net/http; exec sleep 60; }}
    echo whole > "$target" ;;
esac
"""


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a Go that is the first on the PATH; the cache is empty."""
    program = tmp_path / "bin" / "go"
    program.parent.mkdir()
    program.write_text(GO.format(folder=tmp_path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GOPROXY", "off")
    return tmp_path


def builds(go: Path) -> int:
    """How often Go was told to build."""
    file = go / "builds"
    return len(file.read_text().splitlines()) if file.exists() else 0


def interrupting(words: str, _: float) -> None:
    """Hear how far a build is, and press Ctrl-C in the middle of it."""
    if words.startswith("compiled"):
        raise KeyboardInterrupt


@pytest.mark.parametrize("name", list(gobuild.MODULES))
def test_what_an_unchanged_module_gave_is_never_built_again(go: Path, name: str) -> None:
    programs = list(gobuild.MODULES[name].programs)
    for _ in range(3):
        found = gobuild.build(name, go / "log")
        assert found == gobuild.output(name)
        assert [(one.name, one.read_text()) for one in found.iterdir()] == [
            (program, "whole\n") for program in programs
        ]
        assert builds(go) == len(programs)


def test_a_changed_module_is_built_beside_the_one_before(
    go: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = gobuild.build("kind", go / "log")
    monkeypatch.setenv("KUBELAB_SOURCES", str(sources.IMAGES / "sources.toml"))
    images = Path(shutil.copytree(sources.IMAGES / "kind", go / "images" / "kind")).parent
    with (images / "kind" / "go.mod").open("a") as file:
        file.write("// Changed.\n")
    monkeypatch.setattr(sources, "IMAGES", images)
    second = gobuild.build("kind", go / "log")
    assert second != first
    assert first.is_dir()
    assert builds(go) == 2


def test_a_build_that_is_interrupted_leaves_nothing_that_is_taken_for_whole(go: Path) -> None:
    (go / "endless").touch()
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            gobuild.build("kube", go / "log", interrupting)
        assert not gobuild.output("kube").exists()
    left = [one for one in (cache() / "programs").rglob("*") if one.is_file()]
    assert [one.read_text() for one in left] == ["half\n"]
    (left[0].parent / "older").touch()

    (go / "endless").unlink()
    found = gobuild.build("kube", go / "log", interrupting)
    assert [(one.name, one.read_text()) for one in found.iterdir()] == [("kube", "whole\n")]
    assert list((cache() / "programs").iterdir()) == [found]
    assert builds(go) == 3


def test_a_download_of_modules_can_be_ended_too(go: Path) -> None:
    (go / "slow").touch()
    heard = []

    def note(words: str, _: float) -> None:
        heard.append(words)
        if len(heard) == 2:
            raise BuildFailed("no mirror answers")

    with pytest.raises(BuildFailed, match="no mirror"):
        gobuild.build("contour", go / "log", note)
    assert heard == ["downloading Go modules"] * 2
    assert builds(go) == 0


def test_a_build_that_fails_leaves_nothing_that_is_taken_for_whole(go: Path) -> None:
    (go / "broken").touch()
    with pytest.raises(BuildFailed, match="`go build` failed: no space left"):
        gobuild.build("kind", go / "log")
    assert not gobuild.output("kind").exists()
    (go / "broken").unlink()
    assert (gobuild.build("kind", go / "log") / "kind").read_text() == "whole\n"
