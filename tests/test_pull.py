"""Pulled images bear the course's own names, so a purge takes them and nobody else's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubelab import engine, nodeimage, reach
from kubelab.errors import BuildFailed
from kubelab.nodeimage import build, pull, sources
from kubelab.progress import Progress


class Engine:
    """An engine that knows images by reference; every reference can be pulled."""

    def __init__(self, *images: str) -> None:
        self.images = set(images)
        self.pulled: list[str] = []
        self.sticky = False

    def run(self, *words: str, **_: Any) -> str:
        match words:
            case ("pull", "--quiet", reference):
                self.pulled.append(reference)
                self.images.add(reference)
            case ("tag", known, new):
                assert known in self.images
                self.images.add(new)
            case ("image", "rm", reference):
                if self.sticky:
                    raise BuildFailed("`docker image` failed: image is in use")
                self.images.remove(reference)
            case ("image", "inspect", *_, reference) if reference not in self.images:
                raise BuildFailed("`docker image` failed: no such image")
        return ""

    def has_image(self, reference: str) -> bool:
        return reference in self.images


def getting(engine: Engine, pinned: sources.Sources) -> set[str]:
    """The images of an engine after all that a pull needs has come."""
    maker = pull.Pull(engine, Progress([]), Path("log"), pinned)  # type: ignore[arg-type]
    for name in pull.IMAGES:
        maker.get(name)
    return engine.images


@pytest.mark.parametrize("mirror", ["", "docker.io=127.0.0.1:5000/hub ghcr.io=127.0.0.1:5000/g"])
def test_what_was_pulled_keeps_no_other_name(mirror: str) -> None:
    pinned = sources.load({"KUBELAB_MIRROR": mirror})
    engine = Engine()
    assert all(name.startswith("kubelab/pulled:") for name in getting(engine, pinned))
    assert engine.pulled == [pinned.pull[name] for name in pull.IMAGES]


def test_what_the_engine_had_before_stays_under_its_own_name() -> None:
    pinned = sources.load({})
    theirs = pinned.pull["base"]
    images = getting(Engine(theirs), pinned)
    assert theirs in images
    assert pull.tag(pinned, "base") in images


def test_nothing_is_pulled_twice() -> None:
    pinned = sources.load({})
    engine = Engine()
    getting(engine, pinned)
    getting(engine, pinned)
    assert len(engine.pulled) == len(pull.IMAGES)


def test_another_reference_is_another_image() -> None:
    one, other = sources.load({}), sources.load({"KUBELAB_MIRROR": "docker.io=my.mirror"})
    assert pull.tag(one, "node") != pull.tag(other, "node")
    assert pull.tag(one, "contour") == pull.tag(other, "contour")


def test_a_name_that_cannot_be_removed_does_not_end_the_pull() -> None:
    engine, pinned = Engine(), sources.load({})
    engine.sticky = True
    assert pull.tag(pinned, "node") in getting(engine, pinned)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"KUBELAB_DEBIAN": "http://deb.example/debian"},
        {"KUBELAB_MIRROR": "docker.io=my.mirror"},
    ],
)
def test_the_mirror_that_is_asked_is_that_of_the_pulled_base(changed: dict[str, str]) -> None:
    """Whose apt knows nothing of the mirror that the build takes."""
    asked = pull.addresses(sources.load(changed))
    suite = sources.load({}).build["suite"]
    assert asked[f"http://deb.debian.org/debian/dists/{suite}/Release"] == "deb.debian.org"
    assert ("docker.io" in asked.values()) is ("KUBELAB_MIRROR" not in changed)


def test_without_debians_mirror_nothing_is_pulled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of the lab images would fail at their packages, after minutes of pulling."""
    pinned, silent = sources.load({}), set[str]()
    monkeypatch.setattr(
        reach, "clocks", lambda urls: {url: None if url in silent else 1.0 for url in urls}
    )
    assert pull.answers(pinned)
    silent.add(pinned.release(pinned.pull["debian"]))
    assert not pull.answers(pinned)


def test_a_host_is_told_without_its_password() -> None:
    assert sources.host("https://me:secret@go.example:8080/kind") == "go.example"


def test_a_pull_that_fails_gives_way_to_a_build_that_has_the_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    done: list[str] = []

    def fails(*_: object) -> None:
        done.append("pull")
        raise BuildFailed("ghcr.io failed half way.")

    monkeypatch.setattr(pull.Pull, "run", fails)
    monkeypatch.setattr(build.Build, "run", lambda *_: done.append("build"))
    monkeypatch.setattr(nodeimage, "require_disk", lambda _, how: done.append(f"room: {how}"))
    monkeypatch.setattr(engine.Engine, "has_image", lambda *_: False)
    docker, progress = engine.Engine("27", ours=True), Progress(pull.stages())
    nodeimage.ensure(docker, progress, "pull", tmp_path / "log")
    assert done == ["room: pull", "pull", "room: build", "build"]

    def without(*_: object) -> None:
        raise BuildFailed("Building needs mmdebstrap.", look="apt-get install mmdebstrap")

    monkeypatch.setattr(build.Build, "run", without)
    with pytest.raises(BuildFailed) as both:
        nodeimage.ensure(docker, Progress(pull.stages()), "pull", tmp_path / "log")
    assert both.value.message == (
        "The pull failed (ghcr.io failed half way.), and so did the build: "
        "Building needs mmdebstrap."
    )
    assert both.value.look == "apt-get install mmdebstrap"
    with pytest.raises(BuildFailed, match=r"^Building needs mmdebstrap\.$"):
        nodeimage.ensure(docker, Progress(build.stages()), "build", tmp_path / "log")
