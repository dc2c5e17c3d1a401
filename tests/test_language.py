"""Which language the course speaks, and which notebooks it opens."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import pytest

from kubelab import jupyter, jupyter_files, kernel, language
from kubelab.commands import up
from kubelab.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    for name, word in {
        "01-first.ipynb": "one",
        "02-second.ipynb": "two",
        "zh/02-second.ipynb": "二",
    }.items():
        file = tmp_path / "notebooks" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"cells": [word]}))
    return Site(root=tmp_path)


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in (language.VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("environ", "spoken"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_SG@pinyin"}, "zh"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
        ({"LANG": "zh_TW.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_where_nothing_was_chosen_the_terminals_language_counts(
    site: Site, environ: dict[str, str], spoken: str
) -> None:
    assert language.current(site, environ) == spoken


def test_what_was_chosen_counts_more_and_a_variable_most(site: Site) -> None:
    language.keep(site, "zh")
    assert language.current(site, {"LANG": "en_US.UTF-8"}) == "zh"
    assert language.current(site, {language.VARIABLE: "en"}) == "en"
    assert language.current(site, {language.VARIABLE: "tlh"}) == "zh"
    language.keep(site, "en")
    assert language.current(site, {"LANG": "zh_CN.UTF-8"}) == "en"


def test_up_keeps_the_choice(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(up, "here", lambda: site)
    monkeypatch.setattr(up, "everything", lambda work, steps: None)
    monkeypatch.setattr(up, "closing", lambda work, lab: ["Ready."])
    monkeypatch.setattr(up, "next_lab", lambda site: None)
    parser = argparse.ArgumentParser()
    up.arguments(parser)
    up.run(parser.parse_args(["--lang", "zh"]))
    assert language.kept(site) == "zh"
    up.run(parser.parse_args([]))
    assert language.kept(site) == "zh"
    up.run(parser.parse_args(["--lang", "en"]))
    assert language.kept(site) == "en"


def test_copies_of_both_languages_stand_side_by_side_and_are_never_overwritten(
    site: Site, unset: pytest.MonkeyPatch
) -> None:
    jupyter_files.copies(site)
    mine = site.work / "02-second.ipynb"
    mine.write_text("my own work")
    language.keep(site, "zh")
    assert jupyter_files.copies(site) == [
        site.work / "01-first.ipynb",  # Not translated: the English one.
        site.work / "zh" / "02-second.ipynb",
    ]
    theirs = site.work / "zh" / "02-second.ipynb"
    assert json.loads(theirs.read_text())["cells"] == ["二"]
    theirs.write_text("我的")
    jupyter_files.copies(site)
    assert (mine.read_text(), theirs.read_text()) == ("my own work", "我的")
    assert jupyter_files.opened(site, "02-second.ipynb") == "zh/02-second.ipynb"
    assert jupyter_files.opened(site, "01-first.ipynb") == "01-first.ipynb"
    language.keep(site, "en")
    assert jupyter_files.opened(site, "02-second.ipynb") == "02-second.ipynb"


def test_to_open_one_notebook_makes_all_copies(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    found = jupyter.JupyterInfo("", 8888, "t", 1)
    monkeypatch.setattr(jupyter, "_running", lambda _, first: replace(found, url=first))
    monkeypatch.setenv(language.VARIABLE, "zh")
    assert jupyter.start(site, "02-second.ipynb").url == "zh/02-second.ipynb"
    assert (site.work / "zh" / "02-second.ipynb").is_file()
    assert (site.work / "01-first.ipynb").is_file()


def test_what_opens_first_is_there(site: Site, unset: pytest.MonkeyPatch) -> None:
    assert jupyter_files.first_opened(site) == ""
    jupyter_files.copies(site)
    assert jupyter_files.first_opened(site) == "01-first.ipynb"


@pytest.mark.parametrize(
    ("notebook", "spoken"),
    [
        ("/course/work/02-pods.ipynb", "en"),
        ("/course/work/zh/02-pods.ipynb", "zh"),
        ("zh/02-pods.ipynb", "zh"),
        (r"work\zh\02-pods.ipynb", "zh"),
        ("", "zh"),
    ],
)
def test_a_kernel_speaks_the_language_of_its_notebook(
    site: Site, notebook: str, spoken: str
) -> None:
    language.keep(site, "zh")
    found = kernel.environment(site, {"JPY_SESSION_NAME": notebook, "PATH": "/bin"})
    assert found[language.VARIABLE] == spoken
    assert kernel.lab_of(notebook) == ("02" if notebook else None)
