"""The node image on top of kind's own, where every pinned registry and Debian's mirror answer."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from kubelab import reach
from kubelab.engine import Engine
from kubelab.errors import BuildFailed
from kubelab.nodeimage import bake, manifests, sources
from kubelab.nodeimage.images import Images, temporary
from kubelab.progress import Progress, Stage

DOWNLOAD_TIMEOUT = 60.0
IMAGES = ("node", "base", "contour", "envoy", "metrics_server")
BAKED = ("contour", "envoy", "metrics_server")
# Where Docker Hub's API answers; its name in references is docker.io.
API_HOSTS = {"docker.io": "registry-1.docker.io"}


def stages() -> list[Stage]:
    """The stages of a pull, with estimates for a home connection."""
    return [
        Stage("pull", "Images from their registries", 150),
        Stage("labs", "Lab images", 40),
        Stage("node", "Node image, Pod images baked in", 60),
    ]


def answers(pinned: sources.Sources) -> bool:
    """Whether every source answers within five seconds; one that does not means: build."""
    return all_answer(addresses(pinned))


def addresses(pinned: sources.Sources) -> dict[str, str]:
    """What must answer for a pull, Debian's mirror for the lab images too: URL, host to tell."""
    registries = {_probe(pinned.pull[name]): _host(pinned.pull[name]) for name in IMAGES}
    file = sources.url(f"{pinned.pull['manifests']}/{next(iter(manifests.paths()))}")
    others = (file, pinned.release(pinned.pull["debian"]))
    return registries | {address: sources.host(address) for address in others}


def all_answer(urls: Iterable[str]) -> bool:
    """Whether each URL gives any answer of its own in time; a server's error is none."""
    return None not in reach.clocks(urls).values()


def tag(pinned: sources.Sources, name: str) -> str:
    """The course's own name of a pulled image: another reference is another image."""
    plain = name.replace("_", "-")
    return f"kubelab/pulled:{plain}-{sources.digest([], pinned.pull[name])}"


def _host(reference: str) -> str:
    return reference.partition("/")[0]


def _probe(reference: str) -> str:
    host = _host(reference)
    return sources.url(f"{API_HOSTS.get(host, host)}/v2/")


@dataclass
class Pull:
    """One making of the node image from registries."""

    engine: Engine
    progress: Progress
    log: Path
    pinned: sources.Sources = field(default_factory=sources.load)

    def run(self, reference: str) -> None:
        """Make the node image `reference`. Raises BuildFailed."""
        with self.progress.stage("pull") as stage:
            for position, name in enumerate(IMAGES, start=1):
                stage.note = f"{name} {position}/{len(IMAGES)}"
                self.get(name)
            stage.note = ""
            definitions = manifests.reduce(self.download)
        images = Images(self.engine, self.log)
        with self.progress.stage("labs"):
            pods = images.lab_images(tag(self.pinned, "base"))
        with self.progress.stage("node"):
            for name in BAKED:
                pods[tag(self.pinned, name)] = [self.pinned.names[name]]
            with temporary() as folder:
                for name, content in definitions.items():
                    (folder / name).write_bytes(content)
                root = images.build(
                    "node-pulled", tag(self.pinned, "node"), extra={"kubelab-manifests": folder}
                )
            bake.bake(self.engine, root, pods, reference, self.log)

    def get(self, name: str) -> None:
        """Pull an image, unless it was; under the course's name alone, so that a purge finds it.

        One that the engine had before, under its own name, keeps that too.
        """
        reference, ours = self.pinned.pull[name], tag(self.pinned, name)
        if self.engine.has_image(ours):
            return
        somebodys = self.holds(reference)
        self.engine.run("pull", "--quiet", reference, log=self.log)
        self.engine.run("tag", reference, ours, log=self.log)
        if not somebodys:
            with suppress(BuildFailed):  # It only costs a name.
                self.engine.run("image", "rm", reference, log=self.log)

    def holds(self, reference: str) -> bool:
        """Whether the engine has an image under a reference, which may be one by digest."""
        try:
            self.engine.run("image", "inspect", "--format", "{{.Id}}", reference)
        except BuildFailed:
            return False
        return True

    def download(self, path: str) -> bytes:
        """One of Contour's manifests. Raises BuildFailed."""
        address = sources.url(f"{self.pinned.pull['manifests']}/{path}")
        try:
            with reach.opened(address, DOWNLOAD_TIMEOUT) as answer:
                return answer.read()
        except OSError as error:
            where = sources.host(address)
            raise BuildFailed(f"{where} does not answer: {error}", look="./lab up") from error
