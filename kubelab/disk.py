"""Room on the disk, asked for before long work begins and not found out in the middle of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kubelab.errors import EnvironmentFault

GB = 10**9


@dataclass(frozen=True)
class Room:
    """The bytes that are free on a file system, and those that the course still wants there."""

    free: int
    wanted: int


def rooms(wanted: Mapping[Path, float]) -> dict[Path, Room]:
    """The room in folders, by the gigabytes that are wanted in each.

    Folders on one file system share its room: they are one entry, named by the first of them.
    """
    first: dict[int, Path] = {}
    needed: dict[Path, float] = {}
    for folder, gigabytes in wanted.items():
        one = first.setdefault(device(folder), folder)
        needed[one] = needed.get(one, 0.0) + gigabytes
    return {
        folder: Room(shutil.disk_usage(_nearest(folder)).free, int(gigabytes * GB))
        for folder, gigabytes in needed.items()
    }


def require(wanted: Mapping[Path, float], what: str) -> None:
    """Make sure of the gigabytes that `what` wants in each folder. Raises EnvironmentFault."""
    for folder, room in rooms(wanted).items():
        if room.free < room.wanted:
            raise EnvironmentFault(
                f"{what} needs {room.wanted / GB:g} GB of disk, and {room.free / GB:.1f} GB are "
                f"free in {folder}: make room, then again.",
                look=f"df -h {folder}",
            )


def used(folder: Path) -> int:
    """The bytes that the files of a folder take; what goes away meanwhile, or never was, is none.

    A fifth of a second for 20,000 files.
    """
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
    return total


def device(folder: Path) -> int:
    """The file system that a folder lies on, or will lie on."""
    return _nearest(folder).stat().st_dev


def _nearest(folder: Path) -> Path:
    # Not Path.exists(), which raises for what lies in a folder of root's.
    while not os.path.exists(folder):
        folder = folder.parent
    return folder
