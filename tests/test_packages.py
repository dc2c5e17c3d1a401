"""Debian packages are installed by apt-get, the first choice that the mirror has."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from threading import Thread

import pytest

from kubelab import packages
from kubelab.errors import BuildFailed
from kubelab.nodeimage import build

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


def test_what_dpkg_has_begun_outlives_ctrl_c(
    asked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As apt does: deaf to Ctrl-C while dpkg works."""
    begun, ended = tmp_path / "begun", tmp_path / "ended"
    script = f"#!/bin/sh\ntrap '' INT\n: > {begun}\n/bin/sleep 1\n: > {ended}\n"
    (tmp_path / "bin" / "apt-get").write_text(script)
    interrupted = Thread(target=lambda: (watch(begun), os.kill(os.getpid(), signal.SIGINT)))
    interrupted.start()
    with pytest.raises(KeyboardInterrupt):
        packages.install(["docker.io"])
    interrupted.join()
    assert ended.exists()
    assert "packages that are half installed are finished first" in capsys.readouterr().err


def watch(file: Path) -> None:
    """Wait until a file is there."""
    deadline = time.monotonic() + 30
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.mark.parametrize(
    "words",
    [
        "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the "
        "problem. ",
        "E: dpkg 被中断，您必须手工运行 ‘dpkg --configure -a’ 解决此问题。",
    ],
)
def test_what_mends_an_earlier_cut_is_told(asked: Path, tmp_path: Path, words: str) -> None:
    (tmp_path / "bin" / "apt-get").write_text(f'#!/bin/sh\necho "{words}" >&2\nexit 100\n')
    with pytest.raises(BuildFailed, match="dpkg") as failed:
        packages.install(["docker.io"])
    assert failed.value.look == "dpkg --configure -a"


def test_mmdebstrap_is_installed_where_it_is_missing(asked: Path) -> None:
    build.need_mmdebstrap()
    assert asked.read_text().endswith(" mmdebstrap debian-archive-keyring\n")
    asked.unlink()
    there = Path(os.environ["PATH"]) / "mmdebstrap"
    there.write_text("#!/bin/sh\n")
    there.chmod(0o755)
    build.need_mmdebstrap()
    assert not asked.exists()


def test_who_is_not_root_hears_what_is_needed(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert not packages.installable()
    assert not build.has_mmdebstrap()
    with pytest.raises(BuildFailed, match=r"^Building the node image needs mmdebstrap, ") as one:
        build.need_mmdebstrap()
    assert one.value.look == "sudo apt-get install mmdebstrap debian-archive-keyring"
    assert not asked.exists()
    (Path(os.environ["PATH"]) / "apt-get").unlink()
    with pytest.raises(BuildFailed) as other:
        build.need_mmdebstrap()
    assert other.value.look == "./lab doctor"


def test_who_is_not_root_uses_the_mmdebstrap_that_is_there(
    asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    there = Path(os.environ["PATH"]) / "mmdebstrap"
    there.write_text("#!/bin/sh\n")
    there.chmod(0o755)
    assert build.has_mmdebstrap()
    build.need_mmdebstrap()
    assert not asked.exists()
