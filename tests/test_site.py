"""Where everything is: the tests' files are never the learner's."""

import stat
from pathlib import Path

import pytest

from kubelab import site
from kubelab.site import ROOT, Site

PATHS = [
    "state",
    "work",
    "results",
    "kubeconfig",
    "context",
    "current_kubeconfig",
    "progress",
    "log",
]


@pytest.mark.parametrize("name", PATHS)
def test_the_tests_share_no_file_with_the_learner(name: str) -> None:
    learners, tests = getattr(Site(), name), getattr(Site(site.TEST), name)
    assert learners != tests
    assert Site().lab_kubeconfig("02") != Site(site.TEST).lab_kubeconfig("02")


def test_what_purge_removes_holds_no_work(tmp_path: Path) -> None:
    learners = Site(root=tmp_path)
    assert learners.state not in learners.work.parents
    assert learners.work == tmp_path / "work"


def test_the_variable_names_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBELAB_CLUSTER", raising=False)
    assert site.here() == Site("kubelab", ROOT)
    monkeypatch.setenv("KUBELAB_CLUSTER", "kubelab-test")
    assert site.here() == Site("kubelab-test", ROOT)
    monkeypatch.setenv("KUBELAB_CLUSTER", "")
    assert site.here().name == "kubelab"


def test_the_cache_is_where_the_user_wants_caches(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert site.tools() == tmp_path / "kubelab" / "bin"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/you")
    assert site.cache() == Path("/home/you/.cache/kubelab")


def test_a_file_is_written_whole_or_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "folder" / "record.json"
    site.write(file, "before")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", half_written)
        with pytest.raises(KeyboardInterrupt):
            site.write(file, "afterwards")
    assert file.read_text() == "before"
    site.write(file, "afterwards")
    assert file.read_text() == "afterwards"
    assert list(file.parent.iterdir()) == [file]


def half_written(file: Path, text: str, **_: object) -> None:
    """As a program that is ended in the middle of it writes."""
    with file.open("w") as out:
        out.write(text[:4])
    raise KeyboardInterrupt


def test_what_is_secret_was_never_readable_by_others(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    (tmp_path / "kubeconfig.partial").touch(0o644)
    file.touch(0o644)
    site.write(file, "token", mode=0o600)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_context_is_the_one_that_kind_names() -> None:
    assert Site().context == "kind-kubelab"
