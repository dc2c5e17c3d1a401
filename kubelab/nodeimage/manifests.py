"""The CustomResourceDefinitions that Contour needs, out of the zip of Contour's Go module.

They are upstream's own and long, so no copy is committed: they are taken at the making of the node
image, held to a hash, and cut down to the kinds that this course runs.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kubelab.errors import BuildFailed

# The C loader reads the 1.5 MB in a second; the other takes ten.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
ENVOY_MANIFEST = "examples/contour/03-envoy.yaml"
ENVOY_IMAGE = re.compile(r"^\s*image:\s*(\S*/envoy:\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """One file of the module: its hash, the kinds to keep, whether they keep their prose."""

    path: str
    sha256: str
    kinds: frozenset[str]
    described: bool


# Contour watches every kind that `--disable-feature` (cluster/contour/contour.yaml) does not name.
# `kubectl explain httproute` shows the prose of the Gateway API; nobody asks for Contour's own.
SOURCES = {
    "contour-crds.json": Source(
        "examples/contour/01-crds.yaml",
        "c02ed88146211c84edcafb718191f403ab35d8a9c6593bdc244338d20e8461b2",
        frozenset({"HTTPProxy", "TLSCertificateDelegation"}),
        described=False,
    ),
    "gateway-api-crds.json": Source(
        "examples/gateway/00-crds.yaml",
        "3e7a27e4456ff3d68606a6a8516306aaff354d6f0950b32bb31930669b7bf8b8",
        frozenset({"Gateway", "GatewayClass", "HTTPRoute", "ReferenceGrant"}),
        described=True,
    ),
}


def paths() -> list[str]:
    """The files in Contour's repository that are read."""
    return [source.path for source in SOURCES.values()]


def reduce(read: Callable[[str], bytes]) -> dict[str, bytes]:
    """The manifests by file name, each a List in JSON that `kubectl apply` takes.

    `read` gives the content of a path of `paths()`. Raises BuildFailed when a file is not the one
    that is pinned here.
    """
    return {name: _reduced(source, read(source.path)) for name, source in SOURCES.items()}


def collect(zip_path: Path) -> dict[str, bytes]:
    """`reduce` on a module's zip, as the Go proxy serves it."""
    return reduce(lambda path: _read(zip_path, path))


def envoy_image(zip_path: Path) -> str:
    """The Envoy image that Contour's own manifests name. Raises BuildFailed when there is none."""
    found = ENVOY_IMAGE.search(_read(zip_path, ENVOY_MANIFEST).decode())
    if found is None:
        raise BuildFailed(f"{ENVOY_MANIFEST} in {zip_path.name} names no Envoy image.")
    return found.group(1)


def _reduced(source: Source, data: bytes) -> bytes:
    digest = hashlib.sha256(data).hexdigest()
    if digest != source.sha256:
        raise BuildFailed(f"{source.path} has the hash {digest}, wanted {source.sha256}.")
    kept = [
        _definition(document, described=source.described)
        for document in yaml.load_all(data, Loader=LOADER)
        if document and document["spec"]["names"]["kind"] in source.kinds
    ]
    items = {"apiVersion": "v1", "kind": "List", "items": kept}
    return json.dumps(items, separators=(",", ":")).encode()


def _read(zip_path: Path, path: str) -> bytes:
    """One file; in a module's zip every name begins with module@version/."""
    with zipfile.ZipFile(zip_path) as archive:
        for name in archive.namelist():
            if name.partition("@")[2].partition("/")[2] == path:
                return archive.read(name)
    raise BuildFailed(f"{zip_path.name} holds no {path}.")


def _definition(document: dict[str, Any], *, described: bool) -> dict[str, Any]:
    """A definition with its served versions, and without the status that upstream writes.

    Many an HTTPRoute on the web is written in v1beta1; only the stored version keeps its prose.
    """
    versions = [version for version in document["spec"]["versions"] if version["served"]]
    for version in versions:
        if not (described and version["storage"]):
            version["schema"]["openAPIV3Schema"] = _without_prose(
                version["schema"]["openAPIV3Schema"]
            )
    spec = {**document["spec"], "versions": versions}
    return {**{key: document[key] for key in ("apiVersion", "kind", "metadata")}, "spec": spec}


def _without_prose(schema: Any, *, names: bool = False) -> Any:
    """A schema without descriptions; `names` says that the keys are names of properties."""
    if isinstance(schema, list):
        return [_without_prose(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_prose(value, names=key == "properties" and not names)
        for key, value in schema.items()
        if names or key != "description"
    }
