"""Images of the project's folders: built once, and only a whole one has a name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubelab.nodeimage import sources
from kubelab.nodeimage.images import WEB_VERSIONS, Images
from kubelab.site import cache

BASE = "kubelab/stage:debian-0"


class Engine:
    """An engine that keeps what it built; Ctrl-C may come in the middle of a build."""

    def __init__(self) -> None:
        self.built: list[str] = []
        self.interrupted = False

    def has_image(self, reference: str) -> bool:
        return reference in self.built

    def run(self, *words: str, **_: Any) -> str:
        assert words[0] == "build"
        assert Path(words[-1], "Dockerfile").is_file()
        if self.interrupted:
            raise KeyboardInterrupt
        self.built.append(words[words.index("--tag") + 1])
        return ""


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def images(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Images:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Images(engine, tmp_path / "log")  # type: ignore[arg-type]


def test_what_did_not_change_is_never_built_again(images: Images, engine: Engine) -> None:
    first = images.lab_images(BASE)
    built = list(engine.built)
    assert set(first) == {one for one in built if "stage:base-" not in one}
    assert len(built) == len(set(built)) == len(WEB_VERSIONS) + 4
    assert images.lab_images(BASE) == first
    assert engine.built == built


@pytest.mark.parametrize("what", ["base", "file", "argument", "target", "program", "extra"])
def test_a_change_of_anything_in_it_is_another_image(
    images: Images, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "program").write_text(name)
    folder = tmp_path / "images" / "pause"
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.setattr(sources, "IMAGES", folder.parent)
    given: dict[str, Any] = {
        "base": BASE,
        "files": {"program": tmp_path / "one" / "program"},
        "extra": {"beside": tmp_path / "one"},
        "arguments": {"VERSION": "1"},
        "target": "system",
    }
    changed: dict[str, Any] = {
        "base": {"base": "another"},
        "argument": {"arguments": {"VERSION": "2"}},
        "target": {"target": ""},
        "program": {"files": {"program": tmp_path / "other" / "program"}},
        "extra": {"extra": {"beside": tmp_path / "other"}},
    }
    first = images.build("pause", **given)
    assert images.build("pause", **given) == first
    assert engine.built == [first]
    if what == "file":
        (folder / "Dockerfile").write_text("FROM debian\n")
    second = images.build("pause", **given | changed.get(what, {}))
    assert engine.built == [first, second]


def test_a_build_that_is_interrupted_is_made_again(images: Images, engine: Engine) -> None:
    engine.interrupted = True
    with pytest.raises(KeyboardInterrupt):
        images.build("pause", BASE)
    assert list((cache() / "tmp").iterdir()) == []
    engine.interrupted = False
    assert engine.built == []
    assert [images.build("pause", BASE)] == engine.built
