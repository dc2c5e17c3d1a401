"""Room on the disk: folders on one file system share what is free there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from kubelab import disk
from kubelab.disk import GB, Room
from kubelab.errors import EnvironmentFault

ENGINES, CACHE = Path("/engines"), Path("/cache")
WANTED = {ENGINES: 4.0, CACHE: 8.0}


def free(monkeypatch: pytest.MonkeyPatch, gigabytes: float, *, systems: int) -> None:
    """That much is free on each of so many file systems."""
    found = SimpleNamespace(free=int(gigabytes * GB))
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda folder: found)
    monkeypatch.setattr(disk, "device", lambda folder: len(str(folder)) if systems > 1 else 1)


def test_folders_on_one_file_system_want_their_sum_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 8.5, systems=1)
    assert disk.rooms(WANTED) == {ENGINES: Room(8_500_000_000, 12 * GB)}
    with pytest.raises(EnvironmentFault) as caught:
        disk.require(WANTED, "Building")
    assert caught.value.message == (
        "Building needs 12 GB of disk, and 8.5 GB are free in /engines: make room, then again."
    )
    assert caught.value.look == "df -h /engines"
    free(monkeypatch, 12, systems=1)
    disk.require(WANTED, "Building")


def test_folders_on_two_file_systems_want_each_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 8.5, systems=2)
    assert disk.rooms(WANTED) == {
        ENGINES: Room(8_500_000_000, 4 * GB), CACHE: Room(8_500_000_000, 8 * GB)
    }  # fmt: skip
    disk.require(WANTED, "Building")
    free(monkeypatch, 7.5, systems=2)
    with pytest.raises(EnvironmentFault, match=r"8 GB of disk, and 7\.5 GB are free in /cache"):
        disk.require(WANTED, "Building")


def test_a_folder_that_is_not_there_yet_lies_where_it_will_be(tmp_path: Path) -> None:
    there = tmp_path.stat().st_dev
    assert disk.device(tmp_path) == disk.device(tmp_path / "not" / "yet") == there
    assert disk.device(Path("/proc/not/yet")) == Path("/proc").stat().st_dev != there
    (room,) = disk.rooms({tmp_path / "not": 1, tmp_path / "yet": 2}).values()
    assert room.free > 0
    assert room.wanted == 3 * GB


def test_a_folder_takes_what_its_files_do(tmp_path: Path) -> None:
    (tmp_path / "in" / "side").mkdir(parents=True)
    for name in ("one", "in/two", "in/side/three"):
        (tmp_path / name).write_bytes(b"x" * 100_000)
    (tmp_path / "in" / "nowhere").symlink_to("gone")
    assert 300_000 <= disk.used(tmp_path) <= 400_000
    assert disk.used(tmp_path / "not" / "yet") == 0
