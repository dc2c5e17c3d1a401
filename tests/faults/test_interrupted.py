"""Ctrl-C in every stage of `up`, then `up` again: it goes on, and nothing half-made is used."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from learner import Lab

from kubelab import engine, site
from kubelab.nodeimage import gobuild, sources

# The stub stands for the long compile: it waits until a file says that it may go on.
GO = """#!/bin/sh
case "$1" in
  env) echo go1.26.8 ;;
  mod) ;;
  build)
    while [ ! -e "{go_on}" ]; do sleep 0.1; done
    for argument in "$@"; do
      [ "$previous" = -o ] && cp "{kube}" "$argument"
      previous=$argument
    done ;;
esac
"""


@pytest.fixture(scope="module")
def another_image(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An image that is not there yet, and a cache in which only its longest part is missing.

    The file that lets the compile end.
    """
    lab.run("down", "--yes")  # A cluster that another test left would need no image.
    real, folder = site.cache(), tmp_path_factory.mktemp("cold")
    assert gobuild.output("kube").is_dir(), "the node image was never built here"
    cache = folder / "cache" / "kubelab"
    (cache / "programs").mkdir(parents=True)
    for name in ("go", "bin"):
        (cache / name).symlink_to(real / name)
    for program in (real / "programs").iterdir():
        if program.name != gobuild.output("kube").name:
            (cache / "programs" / program.name).symlink_to(program)
    (cache / "clusters").symlink_to(real / "clusters")
    changed = folder / "sources.toml"
    changed.write_text((sources.IMAGES / "sources.toml").read_text() + "\n# Another image.\n")
    programs, go_on = folder / "bin", folder / "go-on"
    programs.mkdir()
    stub = programs / "go"
    stub.write_text(GO.format(go_on=go_on, kube=gobuild.output("kube") / "kube"))
    stub.chmod(0o755)
    lab.environment = {
        "XDG_CACHE_HOME": str(folder / "cache"),
        "KUBELAB_SOURCES": str(changed),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
    }
    yield go_on
    lab.run("down", "--yes")
    docker = engine.connect()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBELAB_SOURCES", str(changed))
        image = sources.reference()
    if docker.has_image(image):
        docker.run("image", "rm", image)
    lab.environment = {}
    shutil.rmtree(folder)


def test_up_goes_on_after_ctrl_c_in_every_stage(lab: Lab, another_image: Path) -> None:
    printed = lab.interrupt_in("kube")
    assert "goes on where it stopped" in printed
    built = Path(lab.environment["XDG_CACHE_HOME"]) / "kubelab" / "programs"
    assert not (built / gobuild.output("kube").name).exists()

    another_image.touch()
    lab.interrupt_in("node")
    docker = engine.connect()
    assert not docker.run("ps", "--all", "--quiet", "--filter", "name=kubelab-bake-").strip()

    for stage in ("cluster", "addons"):
        lab.interrupt_in(stage)
    done = lab.run("up", "--no-open")
    assert done.returncode == 0, done.stderr
    assert "Ready: Kubernetes v1.37." in done.stdout
