"""Programs from Go modules: what an unchanged module gave is never built again."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kubelab import child, packages
from kubelab.errors import BuildFailed
from kubelab.nodeimage import sources
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
DEBIANS_GO = ("golang-1.24-go", "golang-1.23-go", "golang-1.22-go", "golang-go")


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


def build(name: str, log: Path, note: Note = lambda *_: None) -> Path:
    """Build the programs of one module, unless they are there; return their folder.

    `note` hears how far it is, in words and as a share of the work. Go's own build cache
    lets an interrupted build go on. Raises BuildFailed.
    """
    target = output(name)
    if target.is_dir():
        return target
    module = MODULES[name]
    folder = sources.IMAGES / module.folder
    environment = go_environment()
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    note("downloading Go modules", 0.0)
    child.logged(["go", "mod", "download"], log, folder=folder, environment=environment)
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


def go_environment() -> dict[str, str]:
    """The environment of every `go` command: the course's own caches, no cgo, a Go new enough.

    Raises BuildFailed where there is no Go and none can be installed.
    """
    go = shutil.which("go") or install_go()
    needed = sources.load().build["go"]
    own = {
        "PATH": f"{Path(go).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "GOMODCACHE": str(_module_cache()),
        "GOCACHE": str(cache() / "go" / "build"),
        "GOFLAGS": "-modcacherw",
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": toolchain(go_version(go), needed),
        **(COLLECTOR if _memory() > 7 * 2**30 else SMALL_COLLECTOR),
    }
    return {**os.environ, **own}


def toolchain(found: tuple[int, ...], needed: str) -> str:
    """What GOTOOLCHAIN must be: this Go if new enough, else the one to fetch as a module."""
    return "local" if found >= _numbers(needed) else f"go{needed}"


def go_version(go: str) -> tuple[int, ...]:
    """The version of a `go` command."""
    done = subprocess.run(
        [go, "env", "GOVERSION"],
        capture_output=True,
        text=True,
        env={**os.environ, "GOTOOLCHAIN": "local"},
        check=False,
    )
    return _numbers(done.stdout)


def install_go() -> str:
    """Install Debian's Go as root; any version that knows toolchains as modules will do.

    Raises BuildFailed with what to install.
    """
    missing = "No Go here to build the node image with: install Go 1.21 or newer."
    if not packages.installable():
        raise BuildFailed(f"{missing} See https://go.dev/dl/.")
    try:
        packages.install(*([package] for package in DEBIANS_GO))
    except BuildFailed as error:
        raise BuildFailed(f"{missing} {error.message}", look=error.look) from error
    found = sorted(Path("/usr/lib").glob("go-1.*/bin/go"))
    return str(found[-1]) if found else shutil.which("go") or "go"


def _module_cache() -> Path:
    return cache() / "go" / "mod"


def _numbers(text: str) -> tuple[int, ...]:
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in match.groups()) if match else (0, 0, 0)


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
        if compiled % 50 == 0:
            words = f"compiled {compiled} of about {PACKAGES_OF_KUBE} packages"
            note(words, min(compiled / PACKAGES_OF_KUBE, 0.99))

    return line
