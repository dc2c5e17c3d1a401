"""Debian packages are installed by apt-get, the first choice that the mirror has."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubelab import packages
from kubelab.errors import BuildFailed
from kubelab.nodeimage import build, gobuild

APT_GET = """#!/bin/sh
echo "$DEBIAN_FRONTEND $*" >> {log}
for word in "$@"; do
  case "$word" in absent*) echo "E: Unable to locate package $word" >&2; exit 100 ;; esac
done
"""


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An apt-get that has every package but those named absent; the file of what it was asked."""
    log, program = tmp_path / "log", tmp_path / "bin" / "apt-get"
    program.parent.mkdir()
    program.write_text(APT_GET.format(log=log))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return log


def test_the_lists_are_fetched_first_and_nobody_is_asked(asked: Path) -> None:
    packages.install(["docker.io", "iptables"])
    assert asked.read_text().splitlines() == [
        "noninteractive -o DPkg::Lock::Timeout=120 update -qq",
        "noninteractive -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends "
        "docker.io iptables",
    ]


def test_the_first_choice_that_is_there_is_taken(asked: Path) -> None:
    packages.install(["absent-1"], ["golang-go"], ["never"])
    lines = asked.read_text().splitlines()
    assert [line.split()[-1] for line in lines] == ["-qq", "absent-1", "golang-go"]


def test_where_none_is_there_apts_last_line_is_told(asked: Path) -> None:
    with pytest.raises(BuildFailed, match="Unable to locate package absent-2") as failed:
        packages.install(["absent-1"], ["absent-2"])
    assert failed.value.look == "apt-get install -y -qq --no-install-recommends absent-2"


def test_an_apt_that_hangs_is_ended(
    asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "TIMEOUT", 0.2)
    (tmp_path / "bin" / "apt-get").write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    with pytest.raises(BuildFailed, match="update` did not end within 0 s") as failed:
        packages.install(["docker.io"])
    assert failed.value.look == "apt-get update -qq"


def test_programs_that_are_there_are_not_installed(asked: Path) -> None:
    build.need_programs("apt-get")
    assert not asked.exists()
    build.need_programs("apt-get", "mmdebstrap")
    assert asked.read_text().endswith(" mmdebstrap\n")


def test_who_is_not_root_hears_what_is_needed(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert not packages.installable()
    with pytest.raises(BuildFailed, match=r"needs root on Debian or Ubuntu and mmdebstrap\."):
        build.need_programs("mmdebstrap")
    with pytest.raises(BuildFailed, match=r"install Go 1\.21 or newer"):
        gobuild.install_go()
    assert not asked.exists()
