"""The map of the course as text: each lab with its minutes, how far it is, and where to go on."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from kubelab.progress import human
from kubelab.standing import Facts, current

TITLE = 36  # with it a line of the map has 80 columns


def lines(labs: Sequence[Facts], *, tasks: bool = True) -> list[str]:
    """The map; with `tasks` also the tasks of every lab that was begun."""
    wide = min(TITLE, max((len(one["title"]) for one in labs), default=0))
    told = [summary(labs), ""]
    for one in labs:
        told.append(line(one, wide))
        if tasks and begun(one):
            told += map(task, one["tasks"])
    return told


def summary(labs: Sequence[Facts]) -> str:
    """How much of the course is done, and how long the rest takes."""
    done = [one for one in labs if one["done"]]
    points = f"{sum(one['points'] for one in labs)} of {sum(one['of'] for one in labs)} points"
    if len(done) == len(labs):
        return f"Every lab is done: {points}."
    left = sum(one["minutes"] for one in labs if not one["done"])
    return f"{len(done)} of {len(labs)} labs done, {points}. The rest takes about {left} minutes."


def line(lab: Facts, wide: int = 0) -> str:
    """`03  Services   40 min  started   3 of 12 points`."""
    title = textwrap.shorten(lab["title"], TITLE, placeholder=" ...")
    how = f"{lab['minutes']:>2} min  {state(lab):<11}  {points(lab)}"
    return f"  {lab['lab']}  {title:<{wide}}  {how}"


def state(lab: Facts) -> str:
    """`done`, `begun` or `not begun`, of one lab."""
    return "done" if lab["done"] else "begun" if begun(lab) else "not begun"


def begun(lab: Facts) -> bool:
    """Whether the learner has worked on a lab, also where its namespace is away by now."""
    return bool(lab["started"] or lab["attempts"])


def points(one: Facts) -> str:
    """`3 of 12 points`, of a lab or a task."""
    return f"{one['points']} of {one['of']} points"


def task(one: Facts) -> str:
    """`02.1  done      3 of 3 points  2 attempts, 1 hint`."""
    told = f"      {one['task']}  {task_state(one):<8}  {points(one)}  {', '.join(notes(one))}"
    return told.rstrip()


def task_state(one: Facts) -> str:
    """`done`, `not done` where it was tried, else `open`."""
    return "done" if one["done"] else "not done" if one["attempts"] else "open"


def notes(one: Facts) -> Iterator[str]:
    """What else is known of a task: attempts, hints, the reference."""
    if one["attempts"]:
        yield counted(one["attempts"], "attempt")
    if one["hints"]:
        yield counted(one["hints"], "hint")
    if one["reference"]:
        yield "with the reference"


def counted(number: int, what: str) -> str:
    """`2 attempts`, `1 hint`."""
    return f"{number} {what}{'s' if number > 1 else ''}"


def onward(facts: Facts) -> tuple[str, Facts | None]:
    """For somebody who sits in a notebook: what to do next, and the lab whose notebook to open."""
    lab, up = current(facts["labs"]), facts["up"] or {}
    if up.get("state") == "running":
        stage = up["stage"] or "beginning"
        return (
            f"The cluster is being made ({stage}), {human(up['left'])} left. "
            "The first cells of a lab need none: read on meanwhile.",
            lab,
        )
    if not facts["cluster"]["version"]:
        return (
            "The cluster is not there now. Type `./lab up` in a terminal: it is made, or comes "
            "back with everything in it. The first cells of a lab need none.",
            lab,
        )
    if lab is None:
        return "`./lab down` saves your objects and frees this machine.", None
    return f"The cluster answers: {'go on with' if begun(lab) else 'open'} the next lab.", lab
