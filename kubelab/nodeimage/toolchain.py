"""Go itself, as the Go module that it is published as: for who has none, or one too old.

It needs neither root nor a package of the system, only what serves the other modules, too.
Sources: go.dev/doc/toolchain for the module's name, golang.org/x/mod/sumdb/dirhash (Hash1) for its
checksum, cmd/go/internal/toolchain for what is to be done with the files.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import zipfile
from pathlib import Path

from kubelab import child, reach
from kubelab.errors import BuildFailed
from kubelab.nodeimage import sources
from kubelab.nodeimage.images import temporary
from kubelab.site import cache

MODULE = "golang.org/toolchain"
PROXY = "https://proxy.golang.org"
ANOTHER = "https://MIRROR"
TIMEOUT = 60.0
CHUNK = 1 << 20


def command() -> Path | None:
    """The `go` command that builds the programs; None where it is still to be fetched."""
    found = shutil.which("go")
    if found and numbers(version(found)) >= numbers(needed()):
        return Path(found)
    fetched = folder() / "bin" / "go"
    return fetched if fetched.is_file() else None


def needed() -> str:
    """The version of Go that the programs need at least."""
    return str(sources.load().build["go"]["version"])


def version(go: str) -> str:
    """The version of a `go` command, as `1.26.4`; empty where it does not tell."""
    match = re.search(r"\bgo(\d+(\.\d+)+)", _told(go, "version", seconds=20))
    return match.group(1) if match else ""


def _told(*command: str, seconds: float) -> str:
    """What a `go` command prints, without the toolchain that it would fetch."""
    return child.printed(command, seconds, {**os.environ, "GOTOOLCHAIN": "local"})


def numbers(text: str) -> tuple[int, ...]:
    """A version to compare with others."""
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def folder() -> Path:
    """Where the fetched toolchain is, or will be."""
    return cache() / "go" / f"toolchain-{_version()}"


def fetch() -> Path:
    """Fetch the pinned toolchain and return its `go` command. Raises BuildFailed."""
    target = folder()
    faults = []
    asked = proxies()
    with temporary() as place:
        archive, files = place / "toolchain.zip", place / "files"
        for proxy in asked:
            address = f"{proxy}/{MODULE}/@v/{_version()}.zip"
            try:
                _download(address, archive)
                _extract(archive, files)
            except (OSError, ValueError, zipfile.BadZipFile) as error:
                shutil.rmtree(files, ignore_errors=True)
                faults.append(f"{sources.host(address)}: {error}")
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(target, ignore_errors=True)
            (files / f"{MODULE}@{_version()}").rename(target)
            return target / "bin" / "go"
    raise BuildFailed(
        f"Go {needed()}, which builds the node image, is not to be had: "
        f"{'; '.join(faults) or 'GOPROXY names no server'}. Install it (https://go.dev/dl/), "
        "or name a server of Go modules.",
        look=f"export GOPROXY={ANOTHER if PROXY in asked else PROXY}",
    )


def proxies(seconds: float = 20.0) -> list[str]:
    """The servers of Go modules, in the order in which they are asked (see `go help goproxy`).

    A Go on the PATH knows what was set with `go env -w`; it is given so many seconds to tell.
    """
    told, go = os.environ.get("GOPROXY"), shutil.which("go")
    if not told and go:
        told = _told(go, "env", "GOPROXY", seconds=seconds).strip()
    entries = [one.strip().rstrip("/") for one in re.split(r"[,|]", told or PROXY)]
    return [one for one in entries if one.startswith(("http://", "https://", "file://"))]


def _version() -> str:
    return f"v0.0.1-go{needed()}.linux-{sources.architecture()}"


def _download(address: str, target: Path) -> None:
    with reach.opened(address, TIMEOUT) as answer, target.open("wb") as file:
        shutil.copyfileobj(answer, file, CHUNK)


def _extract(archive: Path, target: Path) -> None:
    """Unpack the module. Raises ValueError where it is not the one that is pinned."""
    wanted = sources.load().build["go"][sources.architecture()]
    with zipfile.ZipFile(archive) as module:
        found = checksum(module)
        if found != wanted:
            raise ValueError(f"its checksum is {found}, wanted {wanted}")
        module.extractall(target)
    # A module holds no programs and no other module; whoever takes one as Go has to restore both.
    root = target / f"{MODULE}@{_version()}"
    for place in (root / "bin", root / "pkg" / "tool"):
        for file in place.rglob("*"):
            file.chmod(0o755)
    for file in root.rglob("_go.mod"):
        shutil.copy(file, file.with_name("go.mod"))


def checksum(module: zipfile.ZipFile) -> str:
    """The checksum of a module's zip, as go.sum tells it (`h1:...`)."""
    lines = (
        f"{hashlib.sha256(module.read(name)).hexdigest()}  {name}\n"
        for name in sorted(module.namelist())
    )
    total = hashlib.sha256("".join(lines).encode()).digest()
    return f"h1:{base64.b64encode(total).decode()}"
