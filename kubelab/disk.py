"""Room on the disk, asked for before long work begins and not found out in the middle of it."""

from __future__ import annotations

import shutil
from pathlib import Path

from kubelab.errors import EnvironmentFault

GB = 10**9


def free(folder: Path) -> int:
    """The bytes that are free where `folder` is, or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def require(folder: Path, needed: float, what: str) -> None:
    """Make sure of `needed` gigabytes for `what`. Raises EnvironmentFault."""
    found = free(folder)
    if found < needed * GB:
        raise EnvironmentFault(
            f"{what} needs {needed:g} GB of disk, and {found / GB:.1f} GB are free in {folder}: "
            "make room, then again.",
            look=f"df -h {folder}",
        )
