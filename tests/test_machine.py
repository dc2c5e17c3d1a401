"""The facts about a machine: read from its files, bounded in time, nothing changed."""

import threading
import time
from pathlib import Path

import pytest

from kubelab import machine
from kubelab.nodeimage import sources
from kubelab.site import Site


def test_what_does_not_answer_in_time_or_fails_is_none() -> None:
    never = threading.Event()

    def fails() -> str:
        raise OSError("no route")

    began = time.monotonic()
    questions = {"good": lambda: "yes", "bad": fails, "late": lambda: str(never.wait(60))}
    assert machine.in_time(questions, 0.2) == {"good": "yes", "bad": None, "late": None}
    assert time.monotonic() - began < 5
    never.set()


def test_the_bounding_set_is_read_from_proc() -> None:
    assert machine.bounding("Name:\tx\nCapBnd:\t000001fffeffffff\n") == 0x1FFFEFFFFFF
    assert machine.bounding("") is None


def test_memory_is_what_programs_can_still_have() -> None:
    assert machine.available_memory("MemTotal: 9 kB\nMemAvailable:    2048 kB\n") == 2 * 2**20
    assert machine.available_memory("") is None


def test_kernel_features_come_from_configuration_modules_or_file_systems() -> None:
    config = (
        "CONFIG_OVERLAY_FS=m\nCONFIG_NF_TABLES=y\n# CONFIG_NETFILTER_XT_TARGET_NFQUEUE is not set\n"
    )
    assert machine.features(config, "", "") == {"overlay": True, "nft": True, "nfqueue": False}
    modules = "kernel/net/netfilter/xt_NFQUEUE.ko.xz: x.ko\nnf_tables 12 3\n"
    found = machine.features("", modules, "nodev\toverlay\n")
    assert found == {"overlay": True, "nft": True, "nfqueue": True}
    assert set(machine.features("", "", "").values()) == {None}


def test_the_lower_case_proxy_variable_wins() -> None:
    found = machine.proxies(
        {"HTTP_PROXY": "a", "http_proxy": "b", "NO_PROXY": "c", "ALL_PROXY": ""}
    )
    assert found == {"HTTP_PROXY": "b", "NO_PROXY": "c"}


def test_with_the_image_here_little_disk_is_wanted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "not" / "yet"))
    to_build = machine.rooms(str(tmp_path), image=False)
    to_run = machine.rooms(str(tmp_path), image=True)
    assert list(to_build) == [str(tmp_path), str(tmp_path / "not/yet/kubelab")]
    assert all(room.free > 0 for room in to_build.values())
    assert {room.wanted for room in to_run.values()} == {10**9}
    assert all(room.wanted > 10**9 for room in to_build.values())


def test_registries_and_packages_are_those_of_the_pinned_sources(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GOPROXY", "https://go.example,direct")
    monkeypatch.setenv("KUBELAB_DEBIAN", "http://deb.example/debian")
    registries, packages = machine.addresses()
    assert registries["https://registry-1.docker.io/v2/"] == "docker.io"
    suite = sources.load().build["suite"]
    assert list(packages) == [
        f"http://deb.example/debian/dists/{suite}/Release",
        "https://go.example/sigs.k8s.io/kind/@v/list",
    ]


def test_looking_asks_nobody_when_everything_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(machine, "addresses", lambda: ({"bad://": "docker.io"}, {}))
    monkeypatch.setattr(machine.shutil, "which", lambda name: None)
    facts = machine.look(Site(root=tmp_path))
    assert facts.engine is None
    assert facts.go is None
    assert facts.others_now is None
    assert facts.registries == {"docker.io": False}
