"""The pull path against a real registry on loopback, and a registry that fails half way."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest
from learner import HOSTS, Lab, images, watch

from kubelab import engine, nodeimage, packages
from kubelab.engine import Engine
from kubelab.nodeimage import build, manifests, pull, sources
from kubelab.progress import Progress, Stage


@dataclass
class Registry:
    """Debian's docker-registry on a free port of loopback, with our own images in it."""

    port: int
    docker: Engine
    log: Path

    def push(self, image: str, reference: str) -> None:
        """Put a local image there under the path that a mirror would have for `reference`."""
        host, _, path = reference.partition("/")
        target = f"127.0.0.1:{self.port}/{host}/{path.partition('@')[0]}"
        self.docker.run("tag", image, target)
        self.docker.run("push", "--quiet", target, log=self.log)
        self.docker.run("image", "rm", target)

    def mirror(self, files: int) -> str:
        """The setting that leads every host here, and the files to the server of files."""
        pairs = [f"{host}=127.0.0.1:{self.port}/{host}" for host in HOSTS[:3]]
        return " ".join([*pairs, f"{HOSTS[3]}=127.0.0.1:{files}"])


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry; installed where it is missing, as root."""
    if not shutil.which("docker-registry"):
        packages.install(["docker-registry"])
    folder = tmp_path_factory.mktemp("registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    (folder / "config.yml").write_text(json.dumps(config))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=log
        )
        assert watch(lambda: pull.all_answer([f"http://127.0.0.1:{port}/v2/"]), 30)
        yield Registry(port, engine.connect(), folder / "push.log")
        process.terminate()
        process.wait()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server of Contour's manifests on loopback, laid out as in Contour's repository."""
    folder = tmp_path_factory.mktemp("files")
    names = sources.load({}).names
    repository = folder / names["manifests"].partition("/")[2]
    with zipfile.ZipFile(build.contour_zip(sources.load({}))) as archive:
        for path in manifests.paths():
            name = next(n for n in archive.namelist() if n.endswith(f"/{path}"))
            (repository / path).parent.mkdir(parents=True, exist_ok=True)
            (repository / path).write_bytes(archive.read(name))

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def stocked(registry: Registry) -> Iterator[Registry]:
    """The registry with every image that a pull needs, all but Envoy."""
    names = sources.load({}).names
    progress = Progress(build.stages())
    made = nodeimage.ensure(registry.docker, progress, "build", registry.log)
    maker = build.Build(registry.docker, progress, registry.log)
    base = maker.base(Stage("base", "base", 1))
    own = maker.kubernetes_images(base)
    by_name = {name: local for local, given in own.items() for name in given}
    registry.push(made, names["node"])
    registry.push(base, names["base"])
    for name in ("contour", "metrics_server"):
        registry.push(by_name[names[name]], names[name])
    registry.docker.run("tag", by_name[names["envoy"]], "kubelab/test:envoy")
    yield registry
    registry.docker.run("image", "rm", "kubelab/test:envoy")


@pytest.fixture
def changed(tmp_path: Path, stocked: Registry, files: int) -> Iterator[dict[str, str]]:
    """The environment of a pull from loopback; digests are upstream's, so they are left out.

    The base is our own: its apt asks the mirror that it was made from, not upstream's.
    Its image is no other run's: one that a broken run left would make the pull needless.
    """
    pinned = sources.load()
    text = (sources.IMAGES / "sources.toml").read_text()
    text = text.replace(pinned.pull["debian"], pinned.build["debian"] or pinned.pull["debian"])
    file = tmp_path / "sources.toml"
    file.write_text(re.sub(r"@sha256:[0-9a-f]{64}", "", text) + f"\n# {uuid4()}\n")
    before = images()
    yield {"KUBELAB_SOURCES": str(file), "KUBELAB_MIRROR": stocked.mirror(files)}
    made = images() - before
    if made:
        stocked.docker.run("image", "rm", "--force", *made)


def assert_all_ours() -> None:
    """A purge removes what has a name below `kubelab/`, so what was pulled has no other."""
    assert [name for name in images() if name.startswith("127.0.0.1:")] == []


def test_a_registry_that_fails_half_way_is_told_and_the_image_is_built(
    changed: dict[str, str], stocked: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every host answers, and one of the images is not there."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in changed.items():
            patch.setenv(name, value)
        how, stages = nodeimage.plan(stocked.docker)
        assert how == "pull"
        log = tmp_path / "log"
        made = nodeimage.ensure(stocked.docker, Progress(stages), how, log)
    assert stocked.docker.has_image(made)
    told = capsys.readouterr().err
    assert "`docker pull` failed" in told
    assert "Building from packages instead." in told
    assert_all_ours()


def test_a_cluster_comes_up_on_what_the_registry_gave(
    lab: Lab, changed: dict[str, str], stocked: Registry
) -> None:
    stocked.push("kubelab/test:envoy", sources.load({}).names["envoy"])
    lab.run("down", "--yes")
    done = lab.run("up", "--no-open", **changed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Images from their registries: done" in done.stderr
    assert "Ready: Kubernetes v1.37." in done.stdout
    url = f"http://127.0.0.1:{lab.status()['cluster']['http_port']}/.kubelab/healthz"
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.status == 200
    lab.run("down", "--yes")
    assert_all_ours()


def test_a_registry_that_does_not_answer_means_building(changed: dict[str, str]) -> None:
    environment = {**os.environ, **changed}
    environment["KUBELAB_MIRROR"] = "docker.io=127.0.0.1:1/docker.io"
    assert not pull.answers(sources.load(environment))
