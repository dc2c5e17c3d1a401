"""Images of the project's folders, built with Docker and named by their content."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kubelab.engine import Engine
from kubelab.nodeimage import sources
from kubelab.site import cache

WEB_VERSIONS = ("1.0", "2.0", "2.1", "3.0")
BUILD_TIMEOUT = 1200.0


@dataclass(frozen=True)
class Images:
    """Builds `images/<name>`; what is there under its content address is not built again.

    `goes_on` is asked before each build, and raises where there is to be none.
    """

    engine: Engine
    log: Path
    goes_on: Callable[[], None] = lambda: None

    def tag(self, name: str, address: str) -> str:
        """The name of an intermediate image."""
        return f"kubelab/stage:{name}-{address}"

    def build(
        self,
        name: str,
        base: str,
        files: dict[str, Path] | None = None,
        *,
        target: str = "",
        extra: dict[str, Path] | None = None,
        arguments: dict[str, str] | None = None,
    ) -> str:
        """Build `images/<name>` on `base`, with `files` in its bin/ and `extra` beside; its tag."""
        files, extra, arguments = files or {}, extra or {}, dict(arguments or {})
        source = sources.IMAGES / name
        parts = [base, target, *(f"{k}={v}" for k, v in sorted(arguments.items()))]
        parts += [f"{key}={path.parent.name}" for key, path in sorted(files.items())]
        parts += [sources.digest([path]) for _, path in sorted(extra.items())]
        variant = "-".join([name, *sorted(arguments.values())]) if name == "web" else name
        tag = self.tag(variant + (f"-{target}" if target else ""), sources.digest([source], *parts))
        if self.engine.has_image(tag):
            return tag
        self.goes_on()
        command = ["build", "--quiet", "--tag", tag, "--build-arg", f"BASE={base}"]
        command += ["--target", target] if target else []
        for key, value in arguments.items():
            command += ["--build-arg", f"{key}={value}"]
        with temporary() as folder:
            context = folder / name
            unused = shutil.ignore_patterns("cmd", "go.*", "*.md", "__pycache__")
            shutil.copytree(source, context, ignore=unused)
            (context / "bin").mkdir(exist_ok=True)
            for key, path in files.items():
                shutil.copy2(path, context / "bin" / key)
            for key, path in extra.items():
                shutil.copytree(path, context / key, dirs_exist_ok=True)
            for file in context.rglob("*"):  # One time for all: the same file is the same layer.
                os.utime(file, (0, 0))
            self.engine.run(
                *command,
                str(context),
                log=self.log,
                env={"DOCKER_BUILDKIT": "0"},
                timeout=BUILD_TIMEOUT,
            )
        return tag

    def lab_images(self, base: str) -> dict[str, list[str]]:
        """The lab images and the course's own: the local tag, and the names in the cluster."""
        common = self.build("base", base)
        images = {
            self.build("web", common, arguments={"VERSION": version}): [
                f"docker.io/kubelab/web:{version}"
            ]
            for version in WEB_VERSIONS
        }
        for name in ("redis", "toolbox", "agent"):
            images[self.build(name, common)] = [f"docker.io/kubelab/{name}:1.0"]
        return images


@contextmanager
def temporary() -> Iterator[Path]:
    """A folder that is gone afterwards, beside the cache so that renames stay on one disk."""
    parent = cache() / "tmp"
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, ignore_cleanup_errors=True) as folder:
        yield Path(folder)
