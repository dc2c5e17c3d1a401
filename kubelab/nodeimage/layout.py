"""Local Docker images as one OCI image layout with compressed layers, each layer once.

`docker save` mostly writes layers uncompressed; in a node image they would weigh three times as
much. An engine that keeps its images in containerd writes them as they came, compressed mostly.
Source: OCI image-spec, image-layout.md; containerd reads the image's name from the annotation
`io.containerd.image.name`.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
# How a compressed layer begins (RFC 1952, RFC 8878).
MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CHUNK = 1 << 20


@dataclass(frozen=True)
class Blob:
    """A blob by its digest (`sha256:...`) and size in bytes."""

    digest: str
    size: int

    def descriptor(self, media_type: str, **more: Any) -> dict[str, Any]:
        """The OCI content descriptor of this blob."""
        return {"mediaType": media_type, "digest": self.digest, "size": self.size, **more}


def write(saved: Path, folder: Path, names: dict[str, list[str]]) -> Path:
    """Make of a `docker save` archive an OCI layout archive in `folder`; return its path.

    `names` maps the name that an image was saved by to the names that it shall have.
    """
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    with tarfile.open(saved) as archive:
        images = json.load(_member(archive, "manifest.json"))
        layers = sorted({layer for image in images for layer in image["Layers"]})
    with ThreadPoolExecutor() as pool:
        packed = dict(
            zip(layers, pool.map(lambda name: _pack(saved, name, blobs), layers), strict=True)
        )
    manifests = []
    with tarfile.open(saved) as archive:
        for image in images:
            config = _store(_member(archive, image["Config"]).read(), blobs)
            manifest = {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": config.descriptor(CONFIG),
                "layers": [packed[layer] for layer in image["Layers"]],
            }
            stored = _store(json.dumps(manifest).encode(), blobs)
            for tag in image["RepoTags"] or []:
                for name in names.get(tag, []):
                    annotations = {"io.containerd.image.name": name}
                    manifests.append(stored.descriptor(MANIFEST, annotations=annotations))
    index = {"schemaVersion": 2, "manifests": manifests}
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")
    target = folder / "images.tar"
    with tarfile.open(target, "w") as archive:
        for file in (folder / "oci-layout", folder / "index.json", folder / "blobs"):
            archive.add(file, arcname=file.name)
    return target


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    member = archive.extractfile(name)
    if member is None:
        raise ValueError(f"{name} is not a file in the archive")
    return member


def _pack(saved: Path, name: str, blobs: Path) -> dict[str, Any]:
    """Store one layer, compressed; its descriptor.

    The time in the gzip header is zero, so the digest is reproducible.
    """
    compressor = zlib.compressobj(6, zlib.DEFLATED, 31)
    total, size = hashlib.sha256(), 0
    part = blobs / f"{hashlib.sha256(name.encode()).hexdigest()}.part"
    with tarfile.open(saved) as archive, part.open("wb") as out:
        layer = _member(archive, name)
        chunk = layer.read(CHUNK)
        packed = next((how for magic, how in MAGIC.items() if chunk.startswith(magic)), "")
        while chunk:
            size += _emit(chunk if packed else compressor.compress(chunk), total, out)
            chunk = layer.read(CHUNK)
        if not packed:
            size += _emit(compressor.flush(), total, out)
    part.rename(blobs / total.hexdigest())
    return Blob(f"sha256:{total.hexdigest()}", size).descriptor(f"{LAYER}+{packed or 'gzip'}")


def _emit(data: bytes, total: Any, out: io.BufferedWriter) -> int:
    total.update(data)
    return out.write(data)


def _store(data: bytes, blobs: Path) -> Blob:
    digest = hashlib.sha256(data).hexdigest()
    (blobs / digest).write_bytes(data)
    return Blob(f"sha256:{digest}", len(data))
