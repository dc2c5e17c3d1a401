"""The pinned sources of the node image (`images/sources.toml`), and its content address."""

from __future__ import annotations

import hashlib
import os
import platform
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kubelab.errors import EnvironmentFault
from kubelab.site import ROOT

IMAGES = ROOT / "images"
ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
# What never changes what is built.
IGNORED = {"README.md", "__pycache__"}


def architecture(machine: str | None = None) -> str:
    """This machine's architecture as Go and Docker name it: `amd64` or `arm64`.

    Raises EnvironmentFault for any other.
    """
    machine = machine or platform.machine()
    try:
        return ARCHITECTURES[machine.lower()]
    except KeyError:
        raise EnvironmentFault(
            f"The course runs on amd64 and arm64; this machine is {machine}."
        ) from None


@dataclass(frozen=True)
class Sources:
    """What `images/sources.toml` says.

    `names` are references as manifests name them; `pull` the same with mirrors put in.
    """

    versions: dict[str, str]
    build: dict[str, Any]
    names: dict[str, str]
    pull: dict[str, str]
    kind: dict[str, str]

    def envoy_sha256(self, arch: str) -> str:
        """The hash of the Envoy wheel for one architecture."""
        return str(self.build["envoy"][arch])

    def release(self, mirror: str) -> str:
        """The file of a Debian mirror that tells of the suite."""
        return f"{mirror}/dists/{self.build['suite']}/Release"


def load(environ: Mapping[str, str] | None = None) -> Sources:
    """Read the sources; KUBELAB_SOURCES, KUBELAB_MIRROR and KUBELAB_DEBIAN change them."""
    environ = os.environ if environ is None else environ
    file = Path(environ.get("KUBELAB_SOURCES") or IMAGES / "sources.toml")
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    build = dict(document["build"])
    build["debian"] = environ.get("KUBELAB_DEBIAN") or build["debian"]
    mirrors = dict(pair.split("=", 1) for pair in environ.get("KUBELAB_MIRROR", "").split())
    return Sources(
        versions=document["versions"],
        build=build,
        names=document["pull"],
        pull={name: mirrored(one, mirrors) for name, one in document["pull"].items()},
        kind={**document["kind"], "url": mirrored(document["kind"]["url"], mirrors)},
    )


def url(reference: str) -> str:
    """The URL of a reference that begins with a host; plain HTTP on loopback only."""
    host = reference.partition("/")[0].partition(":")[0]
    return f"{'http' if host in ('127.0.0.1', 'localhost') else 'https'}://{reference}"


def host(address: str) -> str:
    """The host of a URL, to be told; a password in the URL is not."""
    return urlsplit(address).hostname or address


def mirrored(reference: str, mirrors: dict[str, str]) -> str:
    """An image reference with its registry host replaced where a mirror is named for it."""
    host, _, path = reference.partition("/")
    return f"{mirrors[host]}/{path}" if host in mirrors else reference


def digest(paths: Iterable[Path], *parts: str) -> str:
    """The content address (12 hex digits) of files, folders and further parts."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part.encode() + b"\0")
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and not IGNORED & set(file.parts):
                name = file.relative_to(path) if path.is_dir() else file.name
                total.update(str(name).encode() + b"\0")
                total.update(b"x" if os.access(file, os.X_OK) else b"-")
                total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()[:12]


def reference() -> str:
    """The node image's content-addressed name: one for both ways of making it."""
    package = Path(__file__).parent
    changed = os.environ.get("KUBELAB_SOURCES")
    other = Path(changed).read_text(encoding="utf-8") if changed else ""
    return f"kubelab/node:{digest([IMAGES, package], architecture(), other)}"
