"""A notebook of everything that the course says and draws, made without a cluster.

It is written into a folder of its own and shows results, hints, questions, the map of the course,
and each picture for whose noun `tests/test_pictures_NOUN.py` has a `SEEN`.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kubelab import labs, notebook_course, notebook_result, report
from kubelab import notebook_show as view
from kubelab.site import ROOT

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))
NAME = "specimens.ipynb"
PLANTED = "planted.ipynb"
# Faults of every kind that a look must find: one that finds none of them proves nothing.
FAULTS = {
    "too wide": '<div style="width:2000px">wide</div>',
    "color-contrast": '<p style="background:#fff;color:#eee">pale</p>',
    "svg-img-alt": '<svg role="img" width="9" height="9"><circle r="4"/></svg>',
    "leaves it": '<svg class="kl-pic" viewBox="0 0 720 20" width="720" height="20">'
    '<title>planted</title><text x="700" y="15">far outside</text></svg>',
    "wider than 720 px": '<svg class="kl-pic" viewBox="0 0 800 20" width="800" height="20">'
    "<title>big</title></svg>",
}
SHOW = """import json
from pathlib import Path

from kubelab import hint, predict, status
from kubelab.notebook_show import show
known = {one["title"]: one for one in json.loads(Path("specimens.json").read_text())}"""


def write(folder: Path) -> str:
    """Write the notebook and what it shows; its name."""
    several = [*results(), *maps(), *pictures()]
    (folder / "specimens.json").write_text(json.dumps(several), encoding="utf-8")
    cells = [markdown("title", "# What the course says and draws"), code("show", SHOW)]
    for number, one in enumerate(several):
        cells.append(markdown(f"text-{number}", f"## {one['title']}"))
        call = f"one = known[{one['title']!r}]\nshow(one['text'], one['html'])"
        cells.append(code(f"show-{number}", call))
    cells += [markdown("live", "## Asked live"), *(code(*one) for one in live())]
    save(folder / NAME, cells)
    return NAME


def plant(folder: Path) -> str:
    """Write a notebook whose faults are known; its name."""
    html = "\n".join(FAULTS.values())
    call = f"from kubelab.notebook_show import show\nshow('planted', {html!r})"
    save(folder / PLANTED, [markdown("title", "# Planted"), code("show", call)])
    return PLANTED


def save(file: Path, cells: list[dict[str, Any]]) -> None:
    """Write a notebook."""
    body = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "kubelab", "language": "python", "name": "kubelab"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    file.write_text(json.dumps(body), encoding="utf-8")


def results() -> Iterator[dict[str, str]]:
    """A result of every verdict."""
    record = importlib.import_module("test_notebook_result").RECORD
    for verdict in ("pass", "fail", "not_yet", "env"):
        one = record | {"verdict": verdict, "earned": 3 if verdict == "pass" else 0}
        if verdict == "env":
            one |= {"wanted": None, "found": "The API server gives no answer."}
        yield specimen(f"Result: {verdict}", report.text(one), notebook_result.markup(one))


def maps() -> Iterator[dict[str, str]]:
    """The map of a course that was begun."""
    facts = importlib.import_module("test_course").facts()
    told = (facts, "As of today.")
    yield specimen("The map", notebook_course.text(*told), notebook_course.markup(*told))


def pictures() -> Iterator[dict[str, str]]:
    """An example of every picture, from what its own tests draw."""
    for file in sorted(TESTS.glob("test_pictures_*.py")):
        noun = file.stem.removeprefix("test_pictures_")
        seen: Any = getattr(importlib.import_module(file.stem), "SEEN", None)
        if seen is None:
            print(f"Not looked at: {file.name} has no SEEN to draw.", file=sys.stderr)
            continue
        picture = importlib.import_module(f"kubelab.pictures.{noun}")
        text = picture.told(seen)
        box = view.box(picture.svg(seen), view.folded("the same as text", text))
        yield specimen(f"Picture: {noun}", text, box)


def live() -> Iterator[tuple[str, str]]:
    """What needs no cluster, asked of the course itself."""
    yield "status", "status()"
    for lab in labs.every(ROOT):
        name = f"lab-{lab.number}"
        yield f"{name}-hint", f'hint("{next(iter(lab.tasks))}")'
        for number, one in enumerate(lab.predictions):
            yield f"{name}-ask-{number}", f'predict("{one}")'


def specimen(title: str, text: str, html: str) -> dict[str, str]:
    """One thing to look at."""
    return {"title": title, "text": text, "html": html}


def markdown(cell_id: str, text: str) -> dict[str, Any]:
    """A cell of text."""
    return {"cell_type": "markdown", "id": cell_id, "metadata": {}, "source": text}


def code(cell_id: str, text: str) -> dict[str, Any]:
    """A cell of code."""
    made = markdown(cell_id, text) | {"cell_type": "code"}
    return made | {"execution_count": None, "outputs": []}
