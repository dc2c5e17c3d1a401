"""The node image: one derived, content-addressed image with the lab images baked in.

It is used where the engine has it. Else it is made on top of kind's own image where every pinned
registry, and Debian's mirror, answers within five seconds; else it is built from Debian packages
and Go modules.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kubelab import disk
from kubelab.engine import Engine
from kubelab.errors import BuildFailed, EnvironmentFault
from kubelab.nodeimage import build, gobuild, pull, sources
from kubelab.progress import Progress, Stage
from kubelab.site import cache
from kubelab.words import tell

__all__ = ["disk_wanted", "ensure", "plan", "reference", "remove", "storage"]

reference = sources.reference

# Gigabytes, measured: images and layers of the engine, where the image is to be made, and what
# nodes write; Go's modules and what it compiles, and all else in the cache.
ENGINE_DISK = 4.0
NODES_DISK = 1.0
BUILD_DISK = 8.0
CACHE_DISK = 0.5
# About what an interrupted build has made beside those: layers of Debian, and Go itself.
BESIDE_DISK = 1.0


def plan(engine: Engine) -> tuple[str, list[Stage]]:
    """How the image will come (`here`, `pull` or `build`), and the stages of it."""
    if engine.has_image(reference()):
        return "here", []
    if pull.answers(sources.load()):
        return "pull", pull.stages()
    return "build", build.stages()


def ensure(engine: Engine, progress: Progress, how: str, log: Path) -> str:
    """Make the node image the way that `plan` said; return its reference. Raises BuildFailed."""
    wanted = reference()
    if engine.has_image(wanted):
        return wanted
    with _alone():
        if engine.has_image(wanted):  # Another made it while this one waited.
            return wanted
        require_disk(engine, how)
        if how == "pull":
            try:
                pull.Pull(engine, progress, log).run(wanted)
                return wanted
            except BuildFailed as error:
                tell(f"{error.message} Building from packages instead.")
                with _after(error.message):
                    require_disk(engine, "build")
                    progress.extend(build.stages())
                    build.Build(engine, progress, log).run(wanted)
                    return wanted
        build.Build(engine, progress, log).run(wanted)
    return wanted


@contextmanager
def _after(pulling: str) -> Iterator[None]:
    """Tell why the pull failed, too, where what follows it fails."""
    try:
        yield
    except EnvironmentFault as error:
        told = f"The pull failed ({pulling}), and so did the build: {error.message}"
        raise BuildFailed(told, look=error.look) from error


def require_disk(engine: Engine, how: str) -> None:
    """Make sure of the room that this way of making the image takes. Raises EnvironmentFault."""
    told = engine.run("info", "--format", "{{.DockerRootDir}}").strip()
    disk.require(disk_wanted(how, storage(told)), "Making the node image")


def storage(told: str) -> Path | None:
    """The folder that an engine says it keeps images in; None where a virtual machine has it."""
    return Path(told) if os.path.exists(told) else None


def disk_wanted(how: str, engines: Path | None) -> dict[Path, float]:
    """The gigabytes that are wanted in the engine's folder and in the cache, as `plan` says."""
    images = {engines: NODES_DISK if how == "here" else ENGINE_DISK} if engines else {}
    compiles = how == "build" and not build.compiled()
    return {**images, cache(): _compile_disk() if compiles else CACHE_DISK}


def _compile_disk() -> float:
    """The gigabytes that the compile still takes: one that was interrupted has a part of them."""
    taken = gobuild.taken("kube") / disk.GB
    left = BUILD_DISK - taken - BESIDE_DISK if taken else BUILD_DISK
    return max(CACHE_DISK, round(left, 1))


def remove(engine: Engine) -> None:
    """Remove every image that the course made or pulled: each has a name below `kubelab/`."""
    listed = engine.run("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "kubelab/*")
    if listed.split():
        engine.run("image", "rm", "--force", *listed.split())


@contextmanager
def _alone() -> Iterator[None]:
    """One making of a node image at a time on this machine."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "node-image.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            tell("Another process makes the node image; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
