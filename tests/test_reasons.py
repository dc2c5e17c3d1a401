"""The closed list of reasons, its page, and its use in checks and banks."""

from __future__ import annotations

import ast
import re

import pytest

from kubelab import labs, reasons
from kubelab.settled import CONFIG, IMAGE
from kubelab.site import ROOT

PAGE = (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")
FIRST_LINE = re.compile(r"^# (pass|(\d\d\.\d) fail ([a-z-]+))$")
ANSWERS = [file for lab in labs.every(ROOT) for file in sorted(lab.bank.glob("*.yaml"))]


def test_the_page_holds_every_reason_and_no_other() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", PAGE, re.MULTILINE))
    assert rows == {one.id: one.meaning for one in reasons.REASONS.values()}


def test_every_reason_that_the_machinery_gives_is_in_the_list() -> None:
    used = set()
    for file in (ROOT / "kubelab").rglob("*.py"):
        if file.name == "reasons.py":
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
        used |= {one for one in texts if isinstance(one, str) and one in reasons.REASONS}
    # These two are made from the probe's name.
    used |= {
        f"{how}-{which}-probe" for how in ("no", "wrong") for which in ("readiness", "liveness")
    }
    assert used == set(reasons.REASONS)


def test_the_facts_are_filled_into_the_command() -> None:
    facts = {"namespace": "lab-02", "kind": "pod", "plural": "pods", "name": "web", "lab": "02"}
    command = reasons.look("crash-loop", "", container="web", **facts)
    assert command == "kubectl -n lab-02 logs web -c web --previous"
    assert reasons.look("not-met", "kubectl get pods", container="", **facts) == "kubectl get pods"


def test_no_state_has_two_reasons() -> None:
    assert not set(IMAGE) & set(CONFIG)


def test_there_are_answers() -> None:
    assert len([one for one in ANSWERS if one.name.startswith("right-")]) >= 3
    assert len([one for one in ANSWERS if one.name.startswith("wrong-")]) >= 8


@pytest.mark.parametrize("file", ANSWERS, ids=lambda file: file.stem)
def test_an_answer_says_in_its_first_line_what_must_come_of_it(file: labs.Path) -> None:
    match = FIRST_LINE.match(file.read_text(encoding="utf-8").splitlines()[0])
    assert match is not None
    kind = "right" if match.group(1) == "pass" else "wrong"
    assert file.name.startswith(f"{kind}-")
    if match.group(2):
        assert match.group(2) in labs.load(file.parent.parent).tasks
        assert match.group(3) in reasons.REASONS
