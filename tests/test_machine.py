"""The facts about a machine: read from its files, bounded in time, nothing changed."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from kubelab import cluster, disk, doctor, machine, nodeimage
from kubelab.disk import GB
from kubelab.doctor import FIX
from kubelab.errors import EnvironmentFault, NoEngine
from kubelab.machine import Facts
from kubelab.nodeimage import gobuild, sources, toolchain
from kubelab.site import Site


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


@pytest.mark.parametrize(("how", "wanted"), [("here", 1.5), ("pull", 4.5), ("build", 12)])
def test_what_is_wanted_of_a_disk_depends_on_how_the_image_comes(
    how: str, wanted: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "not" / "yet"))
    ((folder, room),) = machine.disks(how, str(tmp_path)).items()
    assert folder == str(tmp_path)
    assert room.free > 0
    assert room.wanted == wanted * GB


def test_an_interrupted_build_wants_what_it_has_not_yet(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What lies in Go's caches of another version saves this one nothing."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    taken = {"build": 2.0, "cache": 0.2}
    monkeypatch.setattr(disk, "used", lambda folder: taken[folder.name] * GB)

    def wanted() -> float:
        ((_, room),) = machine.disks("build", str(tmp_path)).items()
        return room.wanted / GB

    assert wanted() == 12
    partial = gobuild.output("kube").with_name(f"{gobuild.output('kube').name}.partial")
    partial.mkdir(parents=True)
    assert wanted() == 4 + 8 - 2.0 - 4.5 * 0.2 - 1
    taken["build"] = 6.0
    assert wanted() == 4.5
    taken.update(build=0.0, cache=0.0)
    assert wanted() == 12


def test_folders_on_two_disks_have_each_their_room(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(disk, "device", lambda folder: len(str(folder)))
    found = machine.disks("build", str(tmp_path))
    assert {folder: room.wanted / GB for folder, room in found.items()} == {
        str(tmp_path): 4, str(tmp_path / "kubelab"): 8
    }  # fmt: skip


def test_an_engine_in_a_machine_of_its_own_takes_no_room_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    ((folder, room),) = machine.disks("build", str(tmp_path / "elsewhere")).items()
    assert (folder, room.wanted) == (str(tmp_path / "kubelab"), 8 * GB)


def test_doctor_and_up_say_the_same_of_one_disk_with_too_little(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    usage = SimpleNamespace(free=int(8.5 * GB))
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda folder: usage)
    (line,) = doctor.disk(Facts(disks=machine.disks("build", str(tmp_path))))
    assert (line.state, line.text) == (FIX, f"8 GB free at {tmp_path}, 12 GB are wanted")
    engine = SimpleNamespace(run=lambda *_: f"{tmp_path}\n")
    with pytest.raises(EnvironmentFault, match=r"needs 12 GB of disk, and 8\.5 GB are free"):
        nodeimage.require_disk(engine, "build")


def test_registries_and_packages_are_those_of_the_pinned_sources(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GOPROXY", " https://go.example/ ,direct")
    monkeypatch.setenv("KUBELAB_DEBIAN", "http://deb.example/debian")
    registries, packages = machine.addresses(machine.go_server())
    assert list(registries.values()) == [
        "docker.io", "ghcr.io", "registry.k8s.io", "raw.githubusercontent.com", "deb.debian.org"
    ]  # fmt: skip
    assert registries["https://registry-1.docker.io/v2/"] == "docker.io"
    suite = sources.load().build["suite"]
    assert list(packages) == [
        f"http://deb.example/debian/dists/{suite}/Release",
        "https://go.example/sigs.k8s.io/kind/@v/list",
    ]
    assert list(packages.values()) == ["deb.example", "go.example"]


def test_a_go_that_was_fetched_is_the_one_that_builds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(machine.shutil, "which", lambda name: None)
    assert machine.go() is None
    fetched = toolchain.folder() / "bin" / "go"
    fetched.parent.mkdir(parents=True)
    fetched.write_text("#!/bin/sh\necho go version go9.9.9 linux/amd64\n")
    fetched.chmod(0o755)
    assert machine.go() == "9.9.9"


def test_a_host_answers_where_it_does_so_to_all_that_is_asked() -> None:
    asked = {"http://one/a": "one", "http://one/b": "one", "http://two/": "two"}
    assert machine.answering(asked, dict.fromkeys(asked, 1.0)) == {"one": True, "two": True}
    one = {"http://one/b": 1.0, "http://one/a": None, "http://two/": 1.0}
    assert machine.answering(asked, one) == {"one": False, "two": True}
    assert machine.answering(asked, {}) == {"one": False, "two": False}


def test_looking_asks_nobody_when_everything_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(machine, "addresses", lambda _: ({"bad://": "docker.io"}, {}))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(machine.shutil, "which", lambda name: None)
    facts = machine.look(Site(root=tmp_path))
    assert facts.engine is None
    assert facts.engine_error is None
    assert facts.go is None
    assert facts.go_server is None
    assert not facts.mmdebstrap
    assert facts.others_now is None
    assert facts.registries == {"docker.io": False}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Site:
    """The site of a checkout, on a machine whose Docker runs three nodes of that name."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(machine.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(machine, "output", lambda command: "27.1.0 /var/lib/docker")
    nodes = SimpleNamespace(
        ours=False, has_image=lambda reference: False, run=lambda *words: "a\nb\nc\n"
    )
    monkeypatch.setattr("kubelab.engine.find", lambda: nodes)
    return Site(root=tmp_path / "course")


@pytest.mark.parametrize("owner", ["course", "gone"])
def test_a_cluster_that_the_course_made_runs(engine: Site, tmp_path: Path, owner: str) -> None:
    made(tmp_path / owner)
    found = machine.docker(engine)
    assert found["cluster"] is True
    assert found["refused"] == {}


def test_a_cluster_of_another_checkout_is_told_as_up_tells_it(engine: Site, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    made(other)
    found = machine.docker(engine)
    facts = Facts(cluster=found["cluster"], refused=found["refused"])
    lines = [one for one in doctor.diagnose(facts) if one.name in ("cluster", "ports")]
    (line,) = [one for one in lines if one.state == FIX]
    assert line.text == f"The cluster `kubelab` belongs to the course in {other}."
    assert line.fix == f"{other}/lab down"
    assert not [one for one in lines if "./lab status" in one.text]


def test_a_cluster_that_nobody_knows_is_told_too(engine: Site) -> None:
    found = machine.docker(engine)
    assert found["cluster"] is None
    assert "did not make" in found["refused"]["cluster"].message


def made(root: Path) -> None:
    """What a checkout leaves when it makes its cluster."""
    cluster._write_intent(Site(root=root), ["a"])


def test_all_that_up_would_refuse_is_among_the_facts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    faults = {name: EnvironmentFault(f"No {name}.") for name in ("cluster", "kubectl")}
    monkeypatch.setattr(machine, "addresses", lambda _: ({}, {}))
    monkeypatch.setattr(machine, "docker", lambda site: {"refused": {"cluster": faults["cluster"]}})
    monkeypatch.setattr(machine, "kubectl", lambda: {"kubectl": faults["kubectl"]})
    assert machine.look(Site(root=tmp_path)).refused == faults


@pytest.mark.parametrize(
    ("docker", "told"),
    [({"engine_error": "silent"}, True), (None, True), ({"engine": "27"}, False), ({}, False)],
    ids=["no answer", "hangs", "answers", "no docker"],
)
def test_a_dockerd_that_runs_is_a_fact_where_docker_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, docker: dict[str, str] | None, told: bool
) -> None:
    silent, elsewhere = NoEngine("It is silent."), NoEngine("It is elsewhere.")

    def leads_elsewhere() -> None:
        raise elsewhere

    monkeypatch.setattr(machine, "addresses", lambda _: ({}, {}))
    monkeypatch.setattr(machine, "docker", lambda site: docker)
    monkeypatch.setattr(machine, "kubectl", dict)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("kubelab.engine.require_way", lambda: None)
    monkeypatch.setattr("kubelab.engine.hanging", lambda: silent)
    site = Site(root=tmp_path)
    assert machine.look(site).refused == ({"engine": silent} if told else {})
    monkeypatch.setattr("kubelab.engine.require_way", leads_elsewhere)
    assert machine.look(site).refused == ({"engine": elsewhere} if told else {})


def test_what_up_says_of_it_is_for_root_who_may_stop_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubelab.engine.require_way", lambda: None)
    monkeypatch.setattr("kubelab.engine.hanging", lambda: NoEngine("It is silent."))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert machine.unreached() == {}
