"""`./lab doctor`: pure functions over the facts of machines good and bad."""

import json
from dataclasses import replace

import pytest

from kubelab import cli, doctor
from kubelab.commands import doctor as command
from kubelab.disk import GB, Room
from kubelab.doctor import FIX, GIB, OK, diagnose
from kubelab.errors import ForeignCluster, NoEngine
from kubelab.machine import Facts

NOW = 1_800_000_000.0
FULL = (1 << 41) - 1
GOOD = Facts(
    engine="27.1.0",
    cgroup="v2",
    controllers=frozenset({"cpu", "memory", "pids"}),
    bounding=FULL,
    inotify={"max_user_instances": 1024, "max_user_watches": 524288},
    memory=8 * GIB,
    disks={"/var/lib/docker": Room(40 * GB, 4 * GB)},
    ports={8088: True, 8443: True},
    now=NOW,
    newest_file=NOW - 1000,
    others_now=NOW + 2,
    registries={"docker.io": True, "deb.debian.org": True},
    packages={"deb.debian.org": True, "proxy.golang.org": True},
    go="1.26.8",
    go_needed="1.26.4",
    go_server="proxy.golang.org",
    kernel={"overlay": True, "nft": True, "nfqueue": True},
)


def only_fix(facts: Facts) -> doctor.Finding:
    """The one line that is not ok."""
    (found,) = [one for one in diagnose(facts) if one.state == FIX]
    return found


def text_of(facts: Facts, name: str) -> str:
    """What is said of one thing that is ok."""
    found = [one for one in diagnose(facts) if one.name == name]
    assert all(one.state == OK and one.fix is None for one in found)
    return "; ".join(one.text for one in found)


def test_a_good_machine_has_a_line_for_each_thing_and_nothing_to_fix() -> None:
    found = diagnose(GOOD)
    assert {one.state for one in found} == {OK}
    names = {one.name for one in found}
    assert names == {
        "processor", "engine", "cgroups", "capabilities", "inotify", "memory", "disk", "ports",
        "clock", "proxy", "registries", "Go", "kernel",
    }  # fmt: skip
    assert all(len(doctor.line(one)) <= 80 for one in found)


@pytest.mark.parametrize(
    ("machine", "name"),
    [("x86_64", "amd64"), ("AMD64", "amd64"), ("aarch64", "arm64"), ("arm64", "arm64")],
)
def test_both_architectures_are_known_by_all_their_names(machine: str, name: str) -> None:
    assert text_of(replace(GOOD, machine=machine), "processor") == name


def test_another_architecture_is_refused() -> None:
    assert "riscv64" in only_fix(replace(GOOD, machine="riscv64")).text


@pytest.mark.parametrize(
    ("changed", "fix"),
    [
        ({"system": "Darwin", "engine_error": "Cannot connect"}, "open -a Docker"),
        ({"system": "Darwin"}, "brew install --cask docker"),
        ({"root": False, "engine_error": "permission denied on /var/run/docker.sock"}, "usermod"),
        ({"root": False, "engine_error": "Cannot connect"}, "sudo service docker start"),
        ({"root": False}, "sudo apt-get install docker.io"),
        ({"root": False, "apt": False}, "https://docs.docker.com/engine/install/"),
    ],
)
def test_without_an_engine_each_machine_gets_its_own_fix(
    changed: dict[str, object], fix: str
) -> None:
    found = only_fix(replace(GOOD, engine=None, **changed))  # type: ignore[arg-type]
    assert found.name == "engine"
    assert fix in str(found.fix)


def test_root_on_debian_needs_no_engine_beforehand() -> None:
    assert "`./lab up` installs" in text_of(replace(GOOD, engine=None), "engine")


def test_a_dockerd_that_hangs_is_told_as_up_tells_it() -> None:
    hangs = NoEngine("A dockerd runs and does not answer.", look="service docker stop")
    facts = replace(GOOD, engine=None, engine_error="silent", refused={"engine": hangs})
    (found,) = [one for one in diagnose(facts) if one.name == "engine"]
    assert (found.state, found.text, found.fix) == (FIX, hangs.message, hangs.look)


def test_cgroups_want_their_controllers() -> None:
    assert "mount" in str(only_fix(replace(GOOD, cgroup=None)).fix)
    without = replace(GOOD, controllers=frozenset({"cpu", "pids"}))
    assert only_fix(without).text == "v2 without memory"


def test_a_missing_sys_resource_is_no_fault_and_a_missing_sys_admin_is() -> None:
    inside = replace(GOOD, engine=None, bounding=FULL & ~(1 << 24))
    assert "runtime shim" in text_of(inside, "capabilities")
    assert "SYS_ADMIN" in only_fix(replace(inside, bounding=FULL & ~(1 << 21))).text
    # What the user's own engine may do is not seen from here.
    assert "engine's own" in text_of(replace(GOOD, bounding=0), "capabilities")


def test_the_fix_for_inotify_is_the_sysctl() -> None:
    found = only_fix(replace(GOOD, inotify={"max_user_instances": 128}))
    assert found.fix == "sudo sysctl -w fs.inotify.max_user_instances=1024"
    found = only_fix(replace(GOOD, inotify={"max_user_watches": 8192}))
    assert found.fix == "sudo sysctl -w fs.inotify.max_user_watches=524288"


def test_little_memory_matters_only_before_the_cluster_runs() -> None:
    small = replace(GOOD, memory=2 * GIB)
    assert only_fix(small).text == "2.0 GiB free, 4 GiB are wanted"
    assert ".wslconfig" in str(only_fix(replace(small, wsl=True)).fix)
    assert text_of(replace(small, cluster=True), "memory") == "2.0 GiB free"


def test_a_full_disk_is_told_with_what_is_wanted() -> None:
    found = only_fix(replace(GOOD, disks={"/data": Room(5 * GB, 8 * GB)}))
    assert found.text == "5 GB free at /data, 8 GB are wanted"
    assert "df -h /data" in str(found.fix)
    nearly = replace(GOOD, disks={"/data": Room(12 * GB - 1, 12 * GB)})
    assert only_fix(nearly).text == "11 GB free at /data, 12 GB are wanted"
    compiled = replace(GOOD, disks={"/data": Room(4 * GB, int(4.5 * GB))})
    assert only_fix(compiled).text == "4 GB free at /data, 4.5 GB are wanted"


def test_a_busy_port_is_told_and_no_fault() -> None:
    busy = replace(GOOD, ports={8088: False, 8443: True})
    assert text_of(busy, "ports") == "8443 free; 8088 taken: `./lab up` takes the next free one"
    assert "./lab status" in text_of(replace(busy, cluster=True), "ports")


def test_what_up_would_refuse_is_told_in_its_words() -> None:
    theirs = ForeignCluster("The cluster `kubelab` belongs to another.", look="/other/lab down")
    found = only_fix(replace(GOOD, refused={"cluster": theirs}))
    assert (found.name, found.text, found.fix) == ("cluster", theirs.message, theirs.look)


def test_a_cluster_that_is_there_needs_no_image() -> None:
    silent = replace(GOOD, registries={"docker.io": False}, mmdebstrap=False)
    for runs in (True, False):
        assert "is here" in text_of(replace(silent, cluster=runs), "registries")


def test_a_clock_behind_the_files_or_off_from_others_is_told() -> None:
    assert "before the course's own files" in only_fix(replace(GOOD, newest_file=NOW + 2e5)).text
    assert "60 minutes off" in only_fix(replace(GOOD, others_now=NOW + 3600)).text
    wsl = only_fix(replace(GOOD, others_now=NOW + 3600, wsl=True))
    assert wsl.fix == "sudo hwclock -s"
    assert text_of(replace(GOOD, others_now=None), "clock").startswith("2027-01-15")


def test_a_proxy_must_leave_out_the_clusters_ranges() -> None:
    behind = replace(GOOD, proxies={"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "localhost"})
    found = only_fix(behind)
    assert "10.96.0.0/16" in found.text
    assert str(found.fix).startswith("export NO_PROXY=localhost,127.0.0.1,10.96.0.0/16")
    whole = "localhost,127.0.0.0/8,10.0.0.0/8,svc,*.cluster.local"
    for given in (whole, "*"):
        covered = replace(behind, proxies=behind.proxies | {"NO_PROXY": given})  # type: ignore[operator]
        assert "left out" in text_of(covered, "proxy")


def test_no_registry_is_no_fault_where_packages_answer_or_the_image_is_here() -> None:
    silent = replace(GOOD, registries={"docker.io": False, "ghcr.io": True})
    assert "`./lab up` builds" in text_of(silent, "registries")
    offline = replace(silent, packages={"deb.debian.org": False, "proxy.golang.org": False})
    found = only_fix(offline)
    assert found.text == "no answer from docker.io, nor from deb.debian.org and proxy.golang.org"
    assert "KUBELAB_MIRROR" in str(found.fix)
    assert "the node image is here" in text_of(replace(offline, image=True), "registries")


def test_building_without_root_needs_mmdebstrap() -> None:
    """Go is fetched by the course itself, so its absence is no matter."""
    silent = replace(GOOD, root=False, registries={"docker.io": False}, mmdebstrap=False, go=None)
    found = only_fix(silent)
    assert found.text == "no answer from docker.io; building the image needs mmdebstrap"
    assert found.fix == "sudo apt-get install mmdebstrap debian-archive-keyring"
    elsewhere = only_fix(replace(silent, apt=False))
    assert elsewhere.text.endswith("; the image is built on Debian or Ubuntu alone")
    assert "KUBELAB_MIRROR" in str(elsewhere.fix)
    # A mirror that is silent can't be made up for by a package.
    offline = only_fix(replace(silent, packages={"deb.debian.org": False}))
    assert "nor from deb.debian.org" in offline.text
    for enough in ({"image": True}, {"registries": {"docker.io": True}}, {"mmdebstrap": True}):
        assert text_of(replace(silent, **enough), "registries")  # type: ignore[arg-type]


def test_without_debians_mirror_nothing_is_pulled_or_built() -> None:
    registries = {"docker.io": True, "deb.debian.org": False}
    found = only_fix(
        replace(GOOD, registries=registries, packages={"deb.debian.org": False, "go.example": True})
    )
    assert found.text == "no answer from deb.debian.org"
    assert "KUBELAB_DEBIAN" in str(found.fix)
    another = {"deb.example": True, "go.example": True}
    text = text_of(replace(GOOD, registries=registries, packages=another), "registries")
    assert text == "no answer from deb.debian.org; `./lab up` builds the image"


def test_where_go_modules_alone_are_not_to_be_had_another_server_of_them_is_named() -> None:
    silent = replace(GOOD, registries={"docker.io": False})
    without = replace(silent, packages={"deb.debian.org": True, "proxy.golang.org": False})
    found = only_fix(without)
    assert found.text == "no answer from docker.io, nor from proxy.golang.org"
    assert found.fix == "export GOPROXY=https://MIRROR"


@pytest.mark.parametrize("go", [None, "1.19.8"])
def test_where_no_server_is_named_a_go_has_to_be_there(go: str | None) -> None:
    off = {"registries": {"docker.io": False}, "packages": {"deb.debian.org": True}}
    silent = replace(GOOD, go_server=None, **off)  # type: ignore[arg-type]
    found = only_fix(replace(silent, go=go))
    assert found.text.endswith("; GOPROXY names no server to fetch Go 1.26.4 from")
    assert found.fix == "export GOPROXY=https://proxy.golang.org"
    assert "`./lab up` builds" in text_of(silent, "registries")
    assert "is here" in text_of(replace(silent, go=go, image=True), "registries")


def test_go_is_compared_by_number_and_never_a_fault() -> None:
    assert "older" in text_of(replace(GOOD, go="1.9"), "Go")
    assert "older" not in text_of(replace(GOOD, go="1.100.1"), "Go")
    assert "is fetched" in text_of(replace(GOOD, go=None), "Go")


def test_a_kernel_that_lacks_a_feature_is_told_one_that_is_silent_is_not_blamed() -> None:
    found = only_fix(replace(GOOD, kernel={"overlay": True, "nfqueue": False}))
    assert found.fix == "sudo modprobe xt_NFQUEUE"
    silent = replace(GOOD, kernel={"overlay": True, "nft": None})
    assert text_of(silent, "kernel") == "does not tell of nft"


@pytest.mark.parametrize(("facts", "code"), [(GOOD, 0), (replace(GOOD, cgroup=None), 4)])
def test_the_exit_code_says_whether_all_is_well(
    facts: Facts, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "gather", lambda site: facts)
    assert cli.main(["doctor", "--json"]) == code
    assert json.loads(capsys.readouterr().out)["ok"] is (code == 0)
    assert cli.main(["doctor"]) == code
    assert capsys.readouterr().out.startswith("ok   processor")
    assert command.EXAMPLES


def test_a_fix_is_a_line_of_its_own() -> None:
    first, second = doctor.line(doctor.Finding("kernel", FIX, "has no nft", "sudo x")).split("\n")
    assert first == "fix  kernel        has no nft"
    assert second.strip() == "sudo x"
