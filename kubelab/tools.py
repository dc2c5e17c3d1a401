"""kind and kubectl: those on the PATH if their versions fit, else the course's own.

Its kubectl is the node image's, a program for Linux: elsewhere one on the PATH has to fit.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
from pathlib import Path

from kubelab import child, reach, site
from kubelab.engine import Engine
from kubelab.errors import EnvironmentFault
from kubelab.nodeimage import gobuild, sources
from kubelab.progress import Stage

# kubectl and API server may differ by one minor version (kubernetes.io: version skew policy).
SKEW = 1
RELEASE_TIMEOUT = 5.0
VERSION_TIMEOUT = 10.0
# Seconds for each step of taking kubectl out of the node image.
COPY_TIMEOUT = 600.0


def stages() -> list[Stage]:
    """The stages of `ensure`."""
    return [Stage("tools", "kind and kubectl", 3)]


def require_kubectl() -> None:
    """Make sure of a kubectl where the course has none to give. Raises EnvironmentFault."""
    wanted = _kubernetes()
    if platform.system() == "Linux" or _fitting_kubectl(wanted) is not None:
        return
    major, middle = minor(wanted)
    oldest, newest = (f"{major}.{middle + skew}" for skew in (-SKEW, SKEW))
    raise EnvironmentFault(
        f"The course's own kubectl runs on Linux alone, and none from {oldest} to {newest} is on "
        "the PATH.",
        look="brew install kubernetes-cli",
    )


def ensure(engine: Engine, image: str, log: Path) -> None:
    """Put kind and kubectl in place. Raises EnvironmentFault or BuildFailed."""
    require_kubectl()
    site.tools().mkdir(parents=True, exist_ok=True)
    pinned = sources.load().versions
    if _fitting_kind(pinned["kind"]) is None:
        try:
            _download_kind(site.tools() / "kind")
        except OSError:
            _place(gobuild.build("kind", log) / "kind", site.tools() / "kind")
    if _fitting_kubectl(pinned["kubernetes"]) is None:
        container = engine.run("create", image, log=log, timeout=COPY_TIMEOUT).strip()
        try:
            partial = site.tools() / "kubectl.partial"
            engine.run(
                "cp", "--follow-link", f"{container}:/usr/bin/kubectl", str(partial),
                timeout=COPY_TIMEOUT,
            )  # fmt: skip
            partial.chmod(0o755)
            partial.replace(site.tools() / "kubectl")
        finally:
            engine.run("rm", "--volumes", container, timeout=COPY_TIMEOUT)


def release(system: str, machine: str, pinned: dict[str, str]) -> tuple[str, str] | None:
    """URL and sha256 of kind's release for a system (`Linux`, `Darwin`); None where none is."""
    arch = sources.architecture(machine)
    sha256 = pinned.get(f"{system.lower()}-{arch}")
    if sha256 is None:
        return None
    return sources.url(pinned["url"].format(system=system.lower(), arch=arch)), sha256


def _download_kind(target: Path) -> None:
    """Put kind's release in place. Raises OSError where it is not to be had, or not the one."""
    found = release(platform.system(), platform.machine(), sources.load().kind)
    if found is None:
        raise FileNotFoundError("no release of kind for this machine")
    url, sha256 = found
    with reach.opened(url, RELEASE_TIMEOUT) as answer:
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise OSError(f"{url} is not the file that is pinned")
    partial = target.with_suffix(".partial")
    partial.write_bytes(content)
    partial.chmod(0o755)
    partial.replace(target)


def kind() -> Path:
    """The kind command. Raises EnvironmentFault where `ensure` has not run."""
    return _found(_fitting_kind(sources.load().versions["kind"]), "kind")


def kubectl() -> Path:
    """The kubectl command. Raises EnvironmentFault where `ensure` has not run."""
    own = site.tools() / "kubectl"
    return _found(own if own.exists() else _fitting_kubectl(_kubernetes()), "kubectl")


def _kubernetes() -> str:
    return sources.load().versions["kubernetes"]


def _found(path: Path | None, name: str) -> Path:
    if path is None:
        raise EnvironmentFault(f"The course's {name} is not there yet.", look="./lab up")
    return path


def _fitting_kind(wanted: str) -> Path | None:
    for path in _candidates("kind"):
        if minor(child.printed([str(path), "version"], VERSION_TIMEOUT)) == minor(wanted):
            return path
    return None


def _fitting_kubectl(wanted: str) -> Path | None:
    for path in _candidates("kubectl"):
        told = child.printed([str(path), "version", "--client"], VERSION_TIMEOUT)
        found, needed = minor(told), minor(wanted)
        if found[0] == needed[0] and abs(found[1] - needed[1]) <= SKEW:
            return path
    return None


def minor(text: str) -> tuple[int, int]:
    """Major and minor of the first version in a text; (0, 0) where there is none."""
    match = re.search(r"v(\d+)\.(\d+)\.\d+", text)
    return (int(match.group(1)), int(match.group(2))) if match else (0, 0)


def _candidates(name: str) -> list[Path]:
    own = site.tools() / name
    other = shutil.which(name)
    return ([own] if own.exists() else []) + ([Path(other)] if other else [])


def _place(source: Path, target: Path) -> None:
    partial = target.with_suffix(".partial")
    shutil.copy2(source, partial)
    os.replace(partial, target)
