"""What notebook and start state of lab 00 say twice is the same."""

from __future__ import annotations

import re

import nbformat
import yaml

from kubelab import labs, standing
from kubelab.site import ROOT

LAB = labs.find(ROOT, "00")


def test_the_store_that_the_notebook_shows_is_the_one_that_the_lab_starts() -> None:
    notebook = nbformat.read(LAB.notebook, as_version=nbformat.NO_CONVERT)
    (shown,) = [cell.source for cell in notebook.cells if cell.id == "yaml"]
    block = re.search(r"```yaml\n(.*?)\n```", shown, re.DOTALL)
    assert block is not None
    started = (LAB.start / "redis.yaml").read_text(encoding="utf-8")
    assert list(yaml.safe_load_all(block[1])) == list(yaml.safe_load_all(started))


def test_it_is_the_first_lab_and_the_first_step() -> None:
    numbers = [lab.number for lab in labs.every(ROOT)]
    assert numbers[0] == "00"
    several = [
        {"lab": number, "done": False, "started": False, "attempts": 0} for number in numbers
    ]
    facts = {
        "up": None, "cluster": {"version": "v1"}, "jupyter": {"url": "http://127.0.0.1"},
        "labs": several,
    }  # fmt: skip
    assert standing.next_step(facts) == ("Start lab 00.", "./lab start 00")
