"""Ctrl-C in every stage of `up`, then `up` again: it goes on, and nothing half-made is used."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from learner import HOSTS, Lab, at_work, images, watch

from kubelab import engine, site
from kubelab.commands.up import Work, stages
from kubelab.engine import Engine
from kubelab.nodeimage import bake, gobuild, sources

# It stands for the long compile: a program is half made until the whole one is laid down.
GO = """#!/bin/sh
case "$1" in
  version) echo go version go1.26.8 linux/amd64 ;;
  build)
    for argument in "$@"; do
      [ "$previous" = -o ] && target=$argument
      previous=$argument
    done
    whole={compiled}/${{target##*/}}
    : > "$target"
    while [ ! -e "$whole" ]; do sleep 0.1; done
    cp -p "$whole" "$target" ;;
esac
"""
COMPILED = ("kube", "crictl")
# One question may find no engine, and a command that is held waits.
DOCKER = """#!/bin/sh
[ "$1" = version ] && rm "{held}/away" 2> /dev/null && exit 1
while [ -e "{held}/$1" ]; do sleep 0.05; done
exec "{docker}" "$@"
"""
# Too old, so the course takes its own out of the node image.
KUBECTL = "#!/bin/sh\necho 'Client Version: v1.0.0'\n"


@dataclass(frozen=True)
class Cold:
    """A machine that builds the image from a new base, with a Go and a Docker that wait."""

    folder: Path
    docker: Engine
    images: frozenset[str]
    containers: frozenset[str]
    roots: frozenset[Path]

    @property
    def cache(self) -> Path:
        """The course's cache on this machine."""
        return self.folder / "cache" / "kubelab"

    def compiles(self, program: str) -> bool:
        """Whether Go is at work on a program."""
        return bool(at_work("go build", str(self.cache), f".partial/{program}"))

    def has(self, program: str) -> bool:
        """Whether a program is taken for whole."""
        return (self.cache / "programs" / gobuild.output(program).name).exists()

    def let(self, program: str) -> None:
        """Let Go come to the end of a program."""
        (self.folder / "compiled" / program).symlink_to(gobuild.output(program) / program)

    @contextmanager
    def held(self, command: str) -> Iterator[Callable[[], bool]]:
        """Hold a command of Docker's; gives whether one waits."""
        file = self.folder / "held" / command
        file.touch()
        try:
            yield lambda: bool(at_work(f"{self.folder}/bin/docker {command} "))
        finally:
            file.unlink()

    def fetches(self) -> bool:
        """Whether mmdebstrap is in the middle of making the base."""
        return any(any(one.glob("var/lib/apt/lists/*_*")) for one in debian_roots() - self.roots)

    def builds(self) -> bool:
        """Whether Docker is in the middle of building an image."""
        return bool(containers(self.docker) - self.containers)

    def made(self) -> set[str]:
        """The images that were not there before, without their content addresses."""
        return {re.sub(r"[-:][0-9a-f]{12}$", "", name) for name in images() - self.images}

    def assert_tidy(self) -> None:
        """Neither a container nor a file is left behind; Docker takes a moment for its own."""
        assert watch(lambda: containers(self.docker, "--all") <= self.containers, 60)
        assert list((self.cache / "tmp").iterdir()) == []
        assert debian_roots() <= self.roots


@pytest.fixture(scope="module")
def cold(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cold]:
    """Such a machine; what no stage makes, and the modules of Go, are there already."""
    lab.run("down", "--yes")  # A cluster that another test left would need no image.
    real, folder = site.cache(), tmp_path_factory.mktemp("cold")
    assert gobuild.output("kube").is_dir(), "the node image was never built here"
    docker = engine.connect()
    before = (images(), containers(docker, "--all"), debian_roots())
    machine = Cold(folder, docker, *map(frozenset, before))
    linked(real / "programs", machine.cache, *(gobuild.output(name).name for name in COMPILED))
    linked(real / "bin", machine.cache, "kubectl")
    # Whose cluster it is, is also asked by commands that know nothing of this machine.
    (real / "clusters").mkdir(exist_ok=True)
    for name in ("go", "clusters"):
        (machine.cache / name).symlink_to(real / name)
    for name in ("bin", "compiled", "held"):
        (folder / name).mkdir()
    for name, script in {
        "go": GO.format(compiled=folder / "compiled"),
        "docker": DOCKER.format(held=folder / "held", docker=shutil.which("docker")),
        "kubectl": KUBECTL,
    }.items():
        (folder / "bin" / name).write_text(script)
        (folder / "bin" / name).chmod(0o755)
    changed = folder / "sources.toml"
    text = (sources.IMAGES / "sources.toml").read_text()
    changed.write_text(text.replace("[build]", f'[build]\nbase = "{uuid4()}"', 1))
    lab.environment = {
        "XDG_CACHE_HOME": str(machine.cache.parent),
        "KUBELAB_SOURCES": str(changed),
        "KUBELAB_MIRROR": " ".join(f"{host}=127.0.0.1:1" for host in HOSTS),
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    yield machine
    lab.run("down", "--yes")
    made = images() - machine.images
    if made:
        docker.run("image", "rm", "--force", *made)
    lab.environment = {}
    shutil.rmtree(folder)


def linked(real: Path, cache: Path, *but: str) -> None:
    """Put a folder of a cache into another one, but for some of what is in it."""
    (cache / real.name).mkdir(parents=True)
    for one in real.iterdir():
        if one.name not in but:
            (cache / real.name / one.name).symlink_to(one)


def containers(docker: Engine, *which: str) -> set[str]:
    """The containers of this engine that are no nodes."""
    columns = '{{.ID}} {{.Label "io.x-k8s.kind.cluster"}}'
    listed = docker.run("ps", *which, "--format", columns).splitlines()
    return {words[0] for words in map(str.split, listed) if len(words) == 1}


def debian_roots() -> set[Path]:
    """The folders in which a Debian is put together."""
    return set(Path(tempfile.gettempdir()).glob("mmdebstrap.*"))


def test_up_goes_on_after_ctrl_c_in_every_stage(lab: Lab, cold: Cold) -> None:
    """Each `up` goes on from the one before it, into the next stage."""
    interrupted = []

    def interrupt(stage: str, ready: Callable[[], object]) -> None:
        interrupted.append(stage)
        lab.interrupt_in(stage, ready)

    interrupt("jupyter", lab.jupyterlabs)
    assert lab.jupyterlabs() == []

    (cold.folder / "held" / "away").touch()
    with cold.held("version") as waits:
        interrupt("engine", waits)
    assert len(lab.jupyterlabs()) == 1

    # The compile goes on beside these two, and is interrupted with them.
    interrupt("base", lambda: cold.compiles("kube") and cold.fetches())
    assert cold.made() == set()
    cold.assert_tidy()
    interrupt("packages", lambda: cold.compiles("kube") and cold.builds())
    assert cold.made() == {"kubelab/stage:debian"}
    cold.assert_tidy()

    interrupt("kube", lambda: cold.compiles("kube") and cold.builds())
    assert not cold.has("kube")
    cold.let("kube")
    interrupt("programs", lambda: cold.compiles("crictl") and cold.builds())
    assert cold.has("kube")
    assert not cold.has("crictl")
    cold.let("crictl")

    interrupt("pods", lambda: at_work("docker build", str(cold.cache / "tmp")))
    assert "kubelab/stage:kube-system" in cold.made()
    assert "kubelab/stage:kube" not in cold.made()
    cold.assert_tidy()

    baking = ("ps", "--quiet", "--filter", f"name=^/{bake.NAME}")
    interrupt("node", lambda: cold.docker.run(*baking).strip())
    assert "kubelab/stage:kube" in cold.made()
    assert "kubelab/node" not in cold.made()
    cold.assert_tidy()

    with cold.held("cp") as waits:
        interrupt("tools", waits)
    assert "kubelab/node" in cold.made()
    assert not (cold.cache / "bin" / "kubectl").exists()
    cold.assert_tidy()

    nodes = ("ps", "--all", "--quiet", "--filter", f"label=io.x-k8s.kind.cluster={lab.site.name}")
    interrupt("cluster", lambda: cold.docker.run(*nodes).strip())
    assert lab.status()["cluster"]["version"] is None
    lab.site.log.unlink()
    interrupt("addons", lambda: "$ kubectl apply " in lab.site.log.read_text(errors="replace"))
    assert lab.status()["cluster"]["version"] is None
    assert lab.run("start", "02").returncode == 4

    done = lab.run("up", "--no-open")
    assert done.returncode == 0, done.stderr
    assert "Ready: Kubernetes v1.37." in done.stdout
    assert lab.status()["cluster"]["node_image"] in images() - cold.images
    assert len(lab.jupyterlabs()) == 1
    cold.assert_tidy()
    assert interrupted == [one.name for one in stages(Work(lab.site, lab.site.log), notebooks=True)]
