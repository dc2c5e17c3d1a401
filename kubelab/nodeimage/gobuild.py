"""Programs from Go modules: what an unchanged module gave is never built again."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kubelab import child, disk
from kubelab.nodeimage import sources, toolchain
from kubelab.site import cache

VERSION_FLAGS = (
    "-X k8s.io/component-base/version.gitVersion={version} "
    "-X k8s.io/component-base/version.gitMajor={major} "
    "-X k8s.io/component-base/version.gitMinor={minor} "
    "-X k8s.io/component-base/version.gitTreeState=clean"
)
# How far a build is: in words, and as a share of its work.
Note = Callable[[str, float], None]
# Collecting garbage costs a fifth of the time; the limit keeps the linker within a small machine.
COLLECTOR = {"GOGC": "off", "GOMEMLIMIT": "6GiB"}
SMALL_COLLECTOR = {"GOGC": "50"}
PACKAGES_OF_KUBE = 3200
# What a module takes, measured, for each byte of its zip: thousands of zips are quickly counted, a
# hundred thousand files are not.
UNPACKED = 4.5


@dataclass(frozen=True)
class Module:
    """One Go module of the project and the programs that are built from it, by package."""

    folder: str
    programs: dict[str, str]
    flags: str = ""


MODULES = {
    "kube": Module("node", {"kube": "./cmd/kube"}, flags=VERSION_FLAGS),
    # Not in one command with each other: a path of one differs from the other's by case only.
    "crictl": Module("node", {"crictl": "sigs.k8s.io/cri-tools/cmd/crictl"}),
    "local-path": Module(
        "node", {"local-path-provisioner": "github.com/rancher/local-path-provisioner"}
    ),
    "contour": Module("contour", {"contour": "github.com/projectcontour/contour/cmd/contour"}),
    "kind": Module("kind", {"kind": "sigs.k8s.io/kind"}),
}


def output(name: str) -> Path:
    """The folder that holds (or will hold) the programs of one module."""
    module = MODULES[name]
    folder = sources.IMAGES / module.folder
    address = sources.digest(
        [folder / "go.mod", folder / "go.sum", *sorted(folder.glob("cmd/*/*.go"))],
        sources.architecture(),
        repr(module),
    )
    return cache() / "programs" / f"{name}-{address}"


def unfinished(name: str) -> Path:
    """The folder that an interrupted build of one module leaves."""
    target = output(name)
    return target.with_name(target.name + ".partial")


def taken(name: str) -> float:
    """The bytes that an interrupted build of one module has in Go's caches; none without one.

    Of what another version of the course left there, none is known to be of use.
    """
    if not unfinished(name).is_dir():
        return 0.0
    downloaded = disk.used(_module_cache() / "cache")
    return disk.used(_build_cache()) + UNPACKED * downloaded


def build(name: str, log: Path, note: Note = lambda *_: None) -> Path:
    """Build the programs of one module, unless they are there; return their folder.

    `note` hears how far it is, in words and as a share of the work, with each line of Go's: what
    it raises ends the build. Go's own build cache lets an interrupted build go on.
    Raises BuildFailed.
    """
    target = output(name)
    if target.is_dir():
        return target
    module = MODULES[name]
    folder = sources.IMAGES / module.folder
    environment = go_environment(note)
    partial = unfinished(name)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)

    def downloading(_: str = "") -> None:
        note("downloading Go modules", 0.0)

    downloading()
    # Without -x it is silent until its end.
    command = ["go", "mod", "download", "-x"]
    child.logged(command, log, downloading, folder=folder, environment=environment)
    flags = module.flags.format(**_kubernetes_version())
    for program, package in module.programs.items():
        command = ["go", "build", "-v", "-trimpath", "-gcflags=all=-dwarf=false"]
        command += ["-ldflags", f"-s -w {flags}".strip(), "-o", str(partial / program), package]
        child.logged(command, log, _counting(note), folder=folder, environment=environment)
    partial.rename(target)
    return target


def module_zip(path: str, version: str) -> Path:
    """A module's zip in the module cache, once it was downloaded."""
    escaped = re.sub(r"[A-Z]", lambda match: "!" + match.group().lower(), path)
    return _module_cache() / "cache" / "download" / escaped / "@v" / f"{version}.zip"


def module_folder(path: str, version: str) -> Path:
    """A module's folder in the module cache, once it was downloaded."""
    escaped = re.sub(r"[A-Z]", lambda match: "!" + match.group().lower(), path)
    return _module_cache() / f"{escaped}@{version}"


def go_environment(note: Note = lambda *_: None) -> dict[str, str]:
    """The environment of every `go` command: the course's own caches, no cgo, a Go new enough.

    Where there is none, it is fetched. Raises BuildFailed where that is not to be had.
    """
    go = toolchain.command()
    if go is None:
        note(f"fetching Go {toolchain.needed()}", 0.0)
        go = toolchain.fetch()
    own = {
        "PATH": f"{go.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "GOMODCACHE": str(_module_cache()),
        "GOCACHE": str(_build_cache()),
        "GOFLAGS": "-modcacherw",
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        **(COLLECTOR if _memory() > 7 * 2**30 else SMALL_COLLECTOR),
    }
    return {**{name: value for name, value in os.environ.items() if name != "GOROOT"}, **own}


def _module_cache() -> Path:
    return cache() / "go" / "mod"


def _build_cache() -> Path:
    return cache() / "go" / "build"


def _kubernetes_version() -> dict[str, str]:
    version = sources.load().versions["kubernetes"]
    major, minor, _ = version.removeprefix("v").split(".")
    return {"version": version, "major": major, "minor": minor}


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _counting(note: Note) -> Callable[[str], None]:
    compiled = 0

    def line(_: str) -> None:
        nonlocal compiled
        compiled += 1
        words = f"compiled {compiled} of about {PACKAGES_OF_KUBE} packages"
        note(words, min(compiled / PACKAGES_OF_KUBE, 0.99))

    return line
