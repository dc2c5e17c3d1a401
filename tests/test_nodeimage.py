"""The node image is named by its content; its sources are pinned in one file and mirrored."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from kubelab import nodeimage
from kubelab.engine import Engine
from kubelab.errors import BuildFailed, EnvironmentFault
from kubelab.nodeimage import build, gobuild, layout, manifests, pull, sources
from kubelab.progress import Progress


def test_architectures_are_named_as_go_and_docker_do() -> None:
    assert sources.architecture("x86_64") == sources.architecture("AMD64") == "amd64"
    assert sources.architecture("aarch64") == sources.architecture("arm64") == "arm64"


def test_another_architecture_is_an_environment_fault_in_one_sentence() -> None:
    with pytest.raises(EnvironmentFault, match="this machine is riscv64"):
        sources.architecture("riscv64")


def test_every_pulled_image_is_pinned() -> None:
    pinned = sources.load({})
    for name in pull.IMAGES:
        assert re.search(r":[\w.-]*\d[\w.-]*$|@sha256:[0-9a-f]{64}$", pinned.names[name]), name


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
def test_what_depends_on_the_architecture_is_pinned_for_both(arch: str) -> None:
    pinned = sources.load({})
    assert re.fullmatch(r"[0-9a-f]{64}", pinned.envoy_sha256(arch))
    assert re.fullmatch(r"[0-9a-f]{64}", pinned.kind[f"linux-{arch}"])
    assert re.fullmatch(r"h1:[0-9A-Za-z+/]{43}=", pinned.build["go"][arch])


def test_a_mirror_replaces_the_host_of_what_is_pulled_and_not_the_name_in_the_cluster() -> None:
    pinned = sources.load({"KUBELAB_MIRROR": "ghcr.io=127.0.0.1:5000/ghcr docker.io=my.mirror"})
    assert pinned.pull["contour"].startswith("127.0.0.1:5000/ghcr/projectcontour/contour:")
    assert pinned.pull["node"].startswith("my.mirror/kindest/node:")
    assert pinned.names["contour"].startswith("ghcr.io/projectcontour/contour:")


def test_versions_of_the_sources_and_of_the_go_modules_agree() -> None:
    """A version exists once: go.mod is what is built, sources.toml what it is called."""
    versions = sources.load({}).versions
    node = (sources.IMAGES / "node" / "go.mod").read_text()
    assert f"k8s.io/kubernetes {versions['kubernetes']}" in node
    assert f"github.com/coredns/coredns {versions['coredns']}" in node
    assert f"sigs.k8s.io/metrics-server {versions['metrics_server']}" in node
    assert f"go.etcd.io/etcd/server/v3 v{versions['etcd'].split('-')[0]}" in node
    kind = (sources.IMAGES / "kind" / "go.mod").read_text()
    assert f"sigs.k8s.io/kind {versions['kind']}" in kind
    contour = (sources.IMAGES / "contour" / "go.mod").read_text()
    assert f"github.com/projectcontour/contour {versions['contour']}" in contour
    cni = (sources.IMAGES / "node" / "manifests" / "default-cni.yaml").read_text()
    assert f"registry.k8s.io/kube-cni:{versions['kubernetes']}" in cni


def test_manifests_name_the_images_that_are_baked_in() -> None:
    names = sources.load({}).names
    text = (sources.ROOT / "cluster" / "contour" / "contour.yaml").read_text()
    assert f"image: {names['contour']}" in text
    assert f"image: {names['envoy']}" in text
    metrics = (sources.ROOT / "cluster" / "metrics-server.yaml").read_text()
    assert f"image: {names['metrics_server']}" in metrics


def test_the_address_changes_with_content_name_and_mode(tmp_path: Path) -> None:
    folder = tmp_path / "image"
    folder.mkdir()
    file = folder / "run"
    file.write_text("one")
    seen = {sources.digest([folder])}
    file.write_text("two")
    seen.add(sources.digest([folder]))
    file.chmod(0o755)
    seen.add(sources.digest([folder]))
    file.rename(folder / "walk")
    seen.add(sources.digest([folder]))
    seen.add(sources.digest([folder], "amd64"))
    assert len(seen) == 5


def test_a_readme_does_not_change_the_address(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch")
    before = sources.digest([tmp_path])
    (tmp_path / "README.md").write_text("words")
    assert sources.digest([tmp_path]) == before


def test_plain_http_is_for_loopback_only() -> None:
    assert sources.url("127.0.0.1:5000/v2/") == "http://127.0.0.1:5000/v2/"
    assert sources.url("localhost/x") == "http://localhost/x"
    assert sources.url("ghcr.io/v2/") == "https://ghcr.io/v2/"


@pytest.mark.parametrize(("compiles", "stage"), [("kube", "kube"), ("contour", "programs")])
def test_what_fails_beside_the_compile_ends_it(
    compiles: str, stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits ten minutes for a compiler to hear that there is no Debian."""
    progress, never = Progress(build.stages()), threading.Event()

    def compile_(name: str, log: Path, note: gobuild.Note) -> Path:
        for _ in range(2000 if name == compiles else 0):
            note("compiled 50 of about 3200 packages", 0.01)
            never.wait(0.01)
        return tmp_path

    def debian(_: build.Build) -> str:
        raise BuildFailed("`mmdebstrap` failed: no mirror answers.")

    monkeypatch.setattr(Engine, "has_image", lambda *_: True)
    monkeypatch.setattr(gobuild, "output", lambda name: tmp_path / name)
    monkeypatch.setattr(gobuild, "build", compile_)
    monkeypatch.setattr(build.Build, "debian", debian)
    with pytest.raises(BuildFailed, match="no mirror answers"):
        build.Build(Engine("27", ours=True), progress, tmp_path / "log").run("kubelab/node:1")
    assert {one.name: one.state for one in progress.stages}[stage] == "failed"


@pytest.mark.parametrize("end", [KeyboardInterrupt(), BuildFailed("`go build` failed: no space.")])
def test_what_ends_the_compile_ends_debians_part_after_its_step(
    end: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Ctrl-C does, which this thread alone hears of."""
    steps: list[str] = []
    begun, may_end = threading.Event(), threading.Event()

    def run(_: Engine, *words: str, **__: object) -> str:
        steps.append(words[0])
        begun.set()
        assert may_end.wait(30)
        return ""

    def programs(*_: object) -> None:
        assert begun.wait(30)
        raise end

    class Told(threading.Event):
        def set(self) -> None:
            super().set()
            may_end.set()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(Engine, "has_image", lambda _, name: "debian" in name)
    monkeypatch.setattr(Engine, "run", run)
    monkeypatch.setattr(build, "envoy", lambda *_: steps.append("envoy"))
    monkeypatch.setattr(build.Build, "programs", programs)
    making = build.Build(Engine("27", ours=True), Progress(build.stages()), tmp_path / "log")
    making.ended = Told()
    with pytest.raises(type(end)):
        making.run("kubelab/node:1")
    assert steps == ["build"]


def test_mmdebstrap_comes_before_the_compile_in_the_thread_that_hears_of_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(*_: object) -> None:
        assert threading.current_thread() is threading.main_thread()
        raise KeyboardInterrupt

    monkeypatch.setattr(Engine, "has_image", lambda *_: False)
    monkeypatch.setattr(build, "has_mmdebstrap", lambda: True)
    monkeypatch.setattr(build.shutil, "which", lambda _: None)
    monkeypatch.setattr(build.packages, "install", install)
    progress = Progress(build.stages())
    with pytest.raises(KeyboardInterrupt):
        build.Build(Engine("27", ours=True), progress, tmp_path / "log").run("kubelab/node:1")
    assert {one.state for one in progress.stages} == {"waiting"}


def test_who_cannot_build_hears_it_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "has_image", lambda *_: False)
    monkeypatch.setattr(build, "has_mmdebstrap", lambda: False)
    progress = Progress(build.stages())
    with pytest.raises(BuildFailed, match="mmdebstrap"):
        build.Build(Engine("27", ours=True), progress, tmp_path / "log").run("kubelab/node:1")
    assert {one.state for one in progress.stages} == {"waiting"}


def test_mmdebstrap_is_given_no_file_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without root it works in a user namespace, to which a closed home is another's."""
    asked: list[str] = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(Engine, "has_image", lambda *_: False)
    monkeypatch.setattr(Engine, "run", lambda *_, **__: "")
    monkeypatch.setattr(build.child, "logged", lambda words, _: asked.extend(words))
    progress = Progress(build.stages())
    build.Build(Engine("27", ours=True), progress, tmp_path / "log").base(progress.stages[0])
    assert "--dpkgopt=path-exclude=/usr/share/doc/*" in asked
    options = [word.removeprefix("--dpkgopt=") for word in asked if "--dpkgopt" in word]
    assert "\n".join([*options, ""]) == (sources.IMAGES / "debian" / "dpkg.cfg").read_text()


class Making:
    """An engine, and a making of the image that begins and then waits until it may end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.images: list[str] = []
        self.told: list[str] = []
        self.begun, self.waits, self.may_end = (threading.Event() for _ in range(3))
        self.fault: Exception | None = None
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setattr(nodeimage, "require_disk", lambda *_: None)
        monkeypatch.setattr(nodeimage, "tell", self.tell)
        monkeypatch.setattr(build.Build, "run", lambda _, reference: self.make(reference))

    def tell(self, line: str) -> None:
        self.told.append(line)
        self.waits.set()

    def make(self, reference: str) -> None:
        self.begun.set()
        assert self.may_end.wait(30)
        fault, self.fault = self.fault, None
        if fault:
            raise fault
        self.images.append(reference)

    def has_image(self, reference: str) -> bool:
        return reference in self.images

    def ensure(self) -> str:
        return nodeimage.ensure(self, Progress([]), "build", Path("log"))  # type: ignore[arg-type]

    def twice(self) -> tuple[Future[str], Future[str]]:
        """Two at once: the second begins while the first is at work, and the first ends then."""
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(self.ensure)
            assert self.begun.wait(30)
            second = pool.submit(self.ensure)
            assert self.waits.wait(30)
            assert not second.done()
            self.may_end.set()
        return first, second


@pytest.fixture
def making(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Making:
    return Making(monkeypatch, tmp_path)


def test_of_two_makings_at_once_the_second_waits_and_finds_the_image(making: Making) -> None:
    first, second = making.twice()
    assert first.result() == second.result() == nodeimage.reference()
    assert making.told == ["Another process makes the node image; waiting for it."]
    assert making.images == [nodeimage.reference()]


def test_where_the_first_of_two_makings_fails_the_second_makes_the_image(making: Making) -> None:
    making.fault = BuildFailed("No mirror answers.")
    first, second = making.twice()
    with pytest.raises(BuildFailed, match="No mirror"):
        first.result()
    assert second.result() == nodeimage.reference()
    assert making.images == [nodeimage.reference()]


def test_an_image_that_is_there_is_never_made_again(making: Making) -> None:
    making.may_end.set()
    assert [making.ensure() for _ in range(3)] == [nodeimage.reference()] * 3
    assert making.images == [nodeimage.reference()]
    assert making.told == []


def test_an_image_layout_holds_each_layer_once_and_compressed(tmp_path: Path) -> None:
    layer = _tar({"hello": b"x" * 100_000})
    config = json.dumps({"rootfs": {"diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}})
    index = [
        {"Config": "c.json", "RepoTags": ["one:1"], "Layers": ["a/layer.tar"]},
        {"Config": "c.json", "RepoTags": ["two:1"], "Layers": ["a/layer.tar"]},
    ]
    saved = tmp_path / "saved.tar"
    saved.write_bytes(
        _tar(
            {
                "manifest.json": json.dumps(index).encode(),
                "c.json": config.encode(),
                "a/layer.tar": layer,
            }
        )
    )
    names = {"one:1": ["example/one:1", "example/uno:1"], "two:1": ["example/two:1"]}
    archive = layout.write(saved, tmp_path / "layout", names)
    with tarfile.open(archive) as tar:
        members = {m.name: m.size for m in tar.getmembers() if m.isfile()}
        stored = json.load(tar.extractfile("index.json") or io.BytesIO())
        for name in members:
            if name.startswith("blobs/"):
                content = (tar.extractfile(name) or io.BytesIO()).read()
                assert hashlib.sha256(content).hexdigest() == name.rsplit("/", 1)[1]
    called = [m["annotations"]["io.containerd.image.name"] for m in stored["manifests"]]
    assert called == ["example/one:1", "example/uno:1", "example/two:1"]
    assert sum(size for name, size in members.items() if name.startswith("blobs/")) < 5_000


@pytest.mark.parametrize(
    ("layer", "how"),
    [
        (gzip.compress(b"layer " * 500, mtime=0), "gzip"),
        (b"\x28\xb5\x2f\xfd" + b"zstd " * 50, "zstd"),
        (b"", "gzip"),
    ],
)
def test_a_layer_that_is_compressed_already_stays_as_it_is(
    tmp_path: Path, layer: bytes, how: str
) -> None:
    """As engines save them that keep their images in containerd."""
    image = {"Config": "c.json", "RepoTags": ["one:1"], "Layers": ["blobs/sha256/a"]}
    files = {"manifest.json": json.dumps([image]).encode(), "c.json": b"{}"}
    saved = tmp_path / "saved.tar"
    saved.write_bytes(_tar({**files, "blobs/sha256/a": layer}))
    archive = layout.write(saved, tmp_path / "layout", {"one:1": ["example/one:1"]})
    with tarfile.open(archive) as tar:

        def read(digest: str) -> bytes:
            name = f"blobs/sha256/{digest.removeprefix('sha256:')}"
            return (tar.extractfile(name) or io.BytesIO()).read()

        (stored,) = json.load(tar.extractfile("index.json") or io.BytesIO())["manifests"]
        (told,) = json.loads(read(stored["digest"]))["layers"]
        found = read(told["digest"])
    assert told["mediaType"] == f"application/vnd.oci.image.layer.v1.tar+{how}"
    assert told["size"] == len(found)
    assert (found if layer else gzip.decompress(found)) == layer


def test_the_pulled_manifests_are_those_that_are_built_in() -> None:
    assert manifests.paths() == ["examples/contour/01-crds.yaml", "examples/gateway/00-crds.yaml"]


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
