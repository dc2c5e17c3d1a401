"""What the folders of the lab images have in common."""

from __future__ import annotations

import re

import pytest
from image_program import IMAGES

NAMES = ("base", "web", "redis", "toolbox", "agent")


@pytest.mark.parametrize("name", NAMES)
def test_every_image_is_one_folder_with_a_readme(name):
    """And stands on BASE, which a build can choose and does not have to."""
    folder = IMAGES / name
    lines = (folder / "Dockerfile").read_text(encoding="utf-8").splitlines()
    steps = [line for line in lines if line and not line.startswith("#")]
    assert re.fullmatch(r"ARG BASE=\S+", steps[0])
    assert steps[1] == "FROM ${BASE}"
    assert (folder / "README.md").read_text(encoding="utf-8").startswith(f"# kubelab/{name}\n")


@pytest.mark.parametrize("name", NAMES)
def test_every_image_runs_as_a_number_that_is_not_root(name):
    """`runAsNonRoot: true` holds without a look into the image."""
    text = (IMAGES / name / "Dockerfile").read_text(encoding="utf-8")
    users = re.findall(r"^USER (\S+)$", text, re.MULTILINE)
    assert users[-1:] in ([], ["10001:10001"])
    assert users or name == "agent"


@pytest.mark.parametrize("name", ["base", "redis", "toolbox"])
def test_every_layer_of_packages_leaves_nothing_behind(name):
    """Lists, caches, logs and documents go in the step that brought them."""
    text = (IMAGES / name / "Dockerfile").read_text(encoding="utf-8")
    assert text.count("apt-get install") == 1
    for folder in ("/var/lib/apt/lists", "/var/cache/apt", "/var/log", "/usr/share/doc",
                   "/usr/share/locale"):  # fmt: skip
        assert f"{folder}/*" in text
