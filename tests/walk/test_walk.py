"""A learner's walk through the whole course, lab by lab, with nothing but the command `./lab`.

Up, start, a wrong attempt, a hint, begin anew, the right attempt, the check, the status.
"""

from __future__ import annotations

import pytest
from learner import Learner, Told

from kubelab import answers, labs
from kubelab.answers import Answer
from kubelab.labs import Lab
from kubelab.site import ROOT
from kubelab.verdict import Verdict

LABS = list(labs.every(ROOT))

pytestmark = pytest.mark.timeout(1800)


def wrong(lab: Lab) -> Answer:
    """The first wrong answer to the lab's first task that is a manifest, else the first one."""
    first = next(iter(lab.tasks))
    mine = [one for one in answers.every(lab.bank) if one.task == first]
    return next((one for one in mine if one.file.suffix == ".yaml"), mine[0])


def answered(learner: Learner, lab: Lab) -> Told:
    """What the check of a lab says that was begun anew and answered by the reference."""
    told = learner.types("reset", lab.number, "--yes")
    assert told.code == 0, told.err
    learner.answers(lab, *answers.solution(lab))
    return learner.checks(lab.number)


def test_up_again_says_what_to_do_next(learner: Learner) -> None:
    told = learner.types("up", "--no-open")
    assert told.code == 0, told.err
    first = LABS[0].number
    assert f"./lab start {first}" in told.out
    assert learner.types("status", "--json").json["cluster"]["nodes"] == 3


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.slug)
def test_a_lab_from_its_start_to_its_end(learner: Learner, lab: Lab) -> None:
    number, first = lab.number, next(iter(lab.tasks))
    told = learner.types("start", number)
    assert told.code == 0, told.err
    try:
        told = learner.types("check", first)
        assert told.code == 1, told.out
        assert told.out.startswith(f"{first}  not done ")

        answer = wrong(lab)
        learner.answers(lab, answer.file)
        told = learner.checks(first, "--json")
        (record,) = told.json
        assert (told.code, record["verdict"], record["reason"]) == (1, "fail", answer.reason)

        told = learner.types("hint", first)
        assert told.code == 0, told.err
        assert lab.task(first).hints[0].split(".")[0] in " ".join(told.out.split())

        told = answered(learner, lab)
        if told.code == Verdict.ENV.exit_code:
            # What a busy node did to a Job that has ended stays so: begin anew, as the check says.
            told = answered(learner, lab)
        assert told.code == 0, told.out

        tasks = learner.standing(lab)["tasks"]
        assert [one["task"] for one in tasks if one["done"]] == list(lab.tasks)
        assert next(one for one in tasks if one["task"] == first)["hints"] == 1
    finally:
        told = learner.types("reset", number, "--yes")
    assert told.code == 0, told.err
    # What was passed stays passed, though the namespace is new.
    assert all(one["done"] for one in learner.standing(lab)["tasks"])
    assert learner.types("check", first).code == 1
