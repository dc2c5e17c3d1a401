"""Go is taken from the machine where it is new enough, else fetched as a module and checked."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

import pytest

from kubelab.errors import BuildFailed
from kubelab.nodeimage import gobuild, sources, toolchain
from kubelab.nodeimage.toolchain import MODULE

# What a toolchain's module holds, in small: a program, a tool, and another module's go.mod.
FILES = {
    "bin/go": '#!/bin/sh\necho "go version go9.9.9 linux/amd64"\n',
    "pkg/tool/linux_amd64/compile": "#!/bin/sh\n",
    "src/_go.mod": "module std\n",
    "src/cmd/_go.mod": "module cmd\n",
}


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A toolchain that a server on this disk has, pinned; GOPROXY as it leads there."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    version = f"v0.0.1-go9.9.9.linux-{sources.architecture()}"
    archive = tmp_path / "proxy" / MODULE / "@v" / f"{version}.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as module:
        for name, text in FILES.items():
            module.writestr(f"{MODULE}@{version}/{name}", text)
    with zipfile.ZipFile(archive) as module:
        checksum = toolchain.checksum(module)
    pin(tmp_path, monkeypatch, checksum)
    address = f"file://{tmp_path}/proxy"
    monkeypatch.setenv("GOPROXY", address)
    return address


def pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checksum: str) -> None:
    """Let the sources name Go 9.9.9 with this checksum."""
    text = (sources.IMAGES / "sources.toml").read_text()
    before, rest = text.split("[build.go]", 1)
    after = rest.split("[build.envoy]", 1)[1]
    table = f'[build.go]\nversion = "9.9.9"\namd64 = "{checksum}"\narm64 = "{checksum}"\n'
    changed = tmp_path / "sources.toml"
    changed.write_text(f"{before}{table}[build.envoy]{after}")
    monkeypatch.setenv("KUBELAB_SOURCES", str(changed))


def on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> Path:
    """A machine with a Go of this version."""
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text(
        f"""#!/bin/sh
case $1 in
  env) echo "$GO_ENV" ;;
  version) echo "go version go{version} linux/amd64" ;;
esac
"""
    )
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    return go


@pytest.mark.parametrize("version", ["9.9.9", "9.10.0", "10.0"])
def test_a_go_that_is_new_enough_is_used(
    pinned: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    found = on_the_path(tmp_path, monkeypatch, version)
    assert toolchain.command() == found


@pytest.mark.parametrize("version", ["9.9.8", "9.9", "1.19.8", "x"])
def test_one_that_is_too_old_is_not(
    pinned: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    on_the_path(tmp_path, monkeypatch, version)
    assert toolchain.command() is None
    fetched = toolchain.fetch()
    assert toolchain.command() == fetched


def test_without_any_it_is_fetched_once_and_can_be_run(
    pinned: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert toolchain.command() is None
    told: list[str] = []
    monkeypatch.setenv("GOROOT", "/somewhere/else")
    environment = gobuild.go_environment(lambda words, _: told.append(words))
    assert told == ["fetching Go 9.9.9"]
    assert environment["PATH"].startswith(f"{toolchain.folder()}/bin:")
    assert "GOROOT" not in environment
    assert toolchain.version(str(toolchain.folder() / "bin" / "go")) == "9.9.9"
    monkeypatch.setenv("GOPROXY", "off")
    assert gobuild.go_environment(lambda words, _: told.append(words)) == {
        **environment,
        "GOPROXY": "off",
    }
    assert told == ["fetching Go 9.9.9"]


def test_what_a_module_cannot_hold_is_restored(pinned: str) -> None:
    root = toolchain.fetch().parent.parent
    assert (root / "src" / "go.mod").read_text() == "module std\n"
    assert (root / "src" / "cmd" / "go.mod").read_text() == "module cmd\n"
    compiler = root / "pkg" / "tool" / "linux_amd64" / "compile"
    assert stat.S_IMODE(compiler.stat().st_mode) == 0o755
    assert os.access(root / "bin" / "go", os.X_OK)


def test_the_next_server_is_asked_where_one_has_none(
    pinned: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", f"file://{tmp_path}/empty,{pinned}/|direct")
    assert toolchain.fetch().is_file()


def test_the_server_that_an_older_go_was_told_is_asked(
    pinned: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with `go env -w`; what the environment says goes before it."""
    go = on_the_path(tmp_path, monkeypatch, "9.9.8")
    monkeypatch.setenv("GO_ENV", f"https://go.example , {pinned}/,direct")
    assert toolchain.proxies() == [pinned]
    monkeypatch.delenv("GOPROXY")
    assert toolchain.proxies() == ["https://go.example", pinned]
    monkeypatch.setenv("GO_ENV", pinned)
    assert toolchain.fetch().is_file()
    go.write_text("#!/bin/sh\nexec sleep 60\n")
    assert toolchain.proxies(0.1) == ["https://proxy.golang.org"]
    go.unlink()
    assert toolchain.proxies() == ["https://proxy.golang.org"]


def test_another_file_than_the_pinned_one_is_refused(
    pinned: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin(tmp_path, monkeypatch, "h1:another")
    with pytest.raises(BuildFailed, match=r"its checksum is h1:.*, wanted h1:another"):
        toolchain.fetch()
    assert toolchain.command() is None
    assert not toolchain.folder().exists()


def test_where_no_server_has_it_one_sentence_says_what_to_do(
    pinned: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    with pytest.raises(BuildFailed, match=r"Go 9\.9\.9, which builds the node image, is not") as no:
        toolchain.fetch()
    assert no.value.look == "export GOPROXY=https://proxy.golang.org"
    monkeypatch.setattr(toolchain, "PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("GOPROXY")
    with pytest.raises(BuildFailed, match=r"not to be had: 127\.0\.0\.1: ") as silent:
        toolchain.fetch()
    assert silent.value.look == "export GOPROXY=https://MIRROR"


def test_a_password_of_a_server_is_not_told(pinned: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOPROXY", "http://me:s3cret@127.0.0.1:1")
    with pytest.raises(BuildFailed, match=r"not to be had: 127\.0\.0\.1: ") as no:
        toolchain.fetch()
    assert "s3cret" not in no.value.message


def test_the_checksum_is_that_of_go_sum(tmp_path: Path) -> None:
    """As `go mod download -json` tells it for a module of these files, in any order."""
    archive = tmp_path / "module.zip"
    with zipfile.ZipFile(archive, "w") as module:
        module.writestr("example.org/a@v1.0.0/xyz", "data for xyz")
        module.writestr("example.org/a@v1.0.0/go.mod", "module example.org/a\n")
    with zipfile.ZipFile(archive) as module:
        assert toolchain.checksum(module) == "h1:4MASzXISM/QGFKF8Qa95ErkIVmvFxHlIkCmY8TTWL+A="
