"""Debian packages, installed as root where a program is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Sequence

from kubelab.errors import BuildFailed

# Debian's tools refuse to work two at once.
_ALONE = threading.Lock()


def installable() -> bool:
    """Whether this process may install packages: root on Debian or a relative of it."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(*choices: Sequence[str]) -> None:
    """Install the first of these sets of packages that the mirror has, and nothing recommended.

    Raises BuildFailed with the last line that apt-get printed.
    """
    with _ALONE:
        _apt_get("update", "-qq")
        for packages in choices[:-1]:
            try:
                return _install(packages)
            except BuildFailed:
                continue
        return _install(choices[-1])


def _install(packages: Sequence[str]) -> None:
    _apt_get("install", "-y", "-qq", "--no-install-recommends", *packages)


def _apt_get(*words: str) -> None:
    command = ["apt-get", *words]
    done = subprocess.run(
        command,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise BuildFailed(
            f"`apt-get {words[0]}` failed: {''.join(last)[:300]}", look=" ".join(command)
        )
