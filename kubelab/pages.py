"""The pages of the site as Markdown, made from the notebooks and `lab.yaml`; nothing is a copy.

Everything that a page says beside them stands in `ENGLISH`: an edition in another language is
another `Edition`, with notebooks of its own and the same words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubelab import labs
from kubelab.labs import Lab, Prediction, Task

DIAGRAM = re.compile(r"```mermaid\n(.*?)```", re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CALL = re.compile(r'^(check|predict)\("(\d\d\.p?\d)"\)', re.MULTILINE)
# What the start page says of itself, which only who sits before it can follow.
HERE_ONLY = ("map-text", "map-meaning")
MAP = "map"


@dataclass(frozen=True)
class Edition:
    """The course in one language: where its notebooks are, and the words of the site."""

    notebooks: str
    labs: str
    teachers: str
    authors: str
    begin: str
    heads: tuple[str, str, str, str]
    task: str
    why: str
    look: str
    predict: str
    diagram: str
    as_text: str
    tasks_title: str
    tasks_text: str
    tasks_heads: tuple[str, str, str, str]


ENGLISH = Edition(
    notebooks="notebooks",
    labs="The labs",
    teachers="For teachers",
    authors="For authors",
    begin=(
        "This site is the text of the course, to read without a cluster.\n"
        "To do the labs, type `./lab up` in a copy of its repository: it makes a cluster of three "
        "nodes on your own machine, and opens the notebooks."
    ),
    heads=("lab", "you learn", "minutes", "points"),
    task="Task {id}, {points} points",
    why="Why it matters",
    look="Look with",
    predict="{id}: say first",
    diagram="Diagram: {title}",
    as_text="The same as text",
    tasks_title="Tasks and points",
    tasks_text=(
        "Each task is checked by what the cluster does, and says in one sentence when it is done.\n"
        "A task that was once passed stays passed, and hints cost no points.\n"
        "A whole class is graded by [one command](commands.md), namespace by namespace; "
        "[the reasons](reasons.md) say why a check says no."
    ),
    tasks_heads=("task", "you are done when", "points", "why it matters"),
)


@dataclass(frozen=True)
class Page:
    """One page: its place below the site's folder, its text, and the diagrams that it shows."""

    place: str
    text: str
    diagrams: dict[str, str]


def every(root: Path, edition: Edition = ENGLISH) -> Iterator[Page]:
    """All pages that are made; `docs/` holds the others."""
    course = list(labs.every(root))
    yield start(root, course, edition)
    yield tasks(course, edition)
    for lab in course:
        yield of_lab(root, lab, edition)


def navigation(root: Path, edition: Edition = ENGLISH) -> list[dict[str, Any]]:
    """The navigation: every lab of the course, then the documents."""
    made = [{f"{lab.number} {lab.title}": place(lab)} for lab in labs.every(root)]
    return [
        {"kubelab": "index.md"},
        {edition.labs: made},
        {edition.teachers: ["tasks.md", "commands.md", "reasons.md"]},
        {edition.authors: ["authors.md", "site.md"]},
    ]


def place(lab: Lab) -> str:
    """Where a lab's page is."""
    return f"labs/{lab.slug}.md"


def start(root: Path, course: list[Lab], edition: Edition) -> Page:
    """The first page: the start page of the course, with the labs in place of the live map."""
    said = []
    for cell in cells(root, "index", edition):
        if cell["id"] == MAP:
            said += [edition.begin, table(course, edition)]
        elif cell["cell_type"] == "markdown" and cell["id"] not in HERE_ONLY:
            said.append(source(cell))
    return Page("index.md", joined(said), {})


def table(course: list[Lab], edition: Edition) -> str:
    """The labs, a row each."""
    rows = (
        (f"[{lab.number} {lab.title}]({place(lab)})", lab.about, str(lab.minutes), str(lab.points))
        for lab in course
    )
    return tabled(edition.heads, rows)


def tasks(course: list[Lab], edition: Edition) -> Page:
    """Every task with its criterion, its points and its reason."""
    said = [f"# {edition.tasks_title}", edition.tasks_text]
    for lab in course:
        said.append(f"## [{lab.number} {lab.title}]({place(lab)})")
        rows = (
            (one.id, one.sentence, str(one.points), " ".join(one.why.split()))
            for one in lab.tasks.values()
        )
        said.append(tabled(edition.tasks_heads, rows))
    return Page("tasks.md", joined(said), {})


def of_lab(root: Path, lab: Lab, edition: Edition) -> Page:
    """A lab's notebook as a page: its text, its commands, and what `lab.yaml` says of its tasks."""
    said = [front_matter(lab)]
    diagrams: dict[str, str] = {}
    title = lab.title
    for cell in cells(root, lab.slug, edition):
        if cell["cell_type"] == "markdown":
            title = ([title, *HEADING.findall(source(cell))])[-1]
            said.append(drawn(source(cell), title, lab, edition, diagrams))
        else:
            said.append(code(source(cell), lab, edition))
    return Page(place(lab), joined(said), diagrams)


def front_matter(lab: Lab) -> str:
    """What search engines and the navigation read of a page."""
    title = json.dumps(f"{lab.number} {lab.title}")
    about = f"description: {json.dumps(lab.about)}\n" if lab.about else ""
    return f"---\ntitle: {title}\n{about}---"


def drawn(text: str, title: str, lab: Lab, edition: Edition, diagrams: dict[str, str]) -> str:
    """A cell's text with a picture in place of each diagram's source, which is folded below it."""

    def shown(found: re.Match[str]) -> str:
        name = f"pictures/{lab.slug}-{len(diagrams) + 1}.svg"
        diagrams[name] = found[1]
        picture = f"![{edition.diagram.format(title=title)}](../{name})"
        return f'{picture}\n\n??? note "{edition.as_text}"\n\n{indented(fenced("text", found[1]))}'

    return DIAGRAM.sub(shown, text.replace(".ipynb)", ".md)"))


def code(text: str, lab: Lab, edition: Edition) -> str:
    """A code cell: a question or a task where it asks or checks one, else what it runs."""
    if calls := CALL.findall(text):
        return joined([boxed(call, identity, lab, edition) for call, identity in calls])
    if text.startswith("%%bash\n"):
        return fenced("bash", text.removeprefix("%%bash\n"))
    return fenced("python", text)


def boxed(call: str, identity: str, lab: Lab, edition: Edition) -> str:
    """What stands in place of a call of `check` or `predict`."""
    if call == "check":
        return task(lab.task(identity), lab, edition)
    return prediction(lab.predictions[identity], edition)


def task(one: Task, lab: Lab, edition: Edition) -> str:
    """What is checked here, why it matters, and the command to look with."""
    head = edition.task.format(id=one.id, points=one.points)
    look = one.look.replace("{namespace}", lab.namespace)
    inner = [one.sentence, f"**{edition.why}.** {' '.join(one.why.split())}"]
    inner.append(f"**{edition.look}.** `{look}`")
    return f'!!! success "{head}"\n\n{indented(joined(inner))}'


def prediction(one: Prediction, edition: Edition) -> str:
    """A question that is asked before the doing, with its choices and without its answer."""
    choices = "\n".join(f"{number}. {choice}" for number, choice in enumerate(one.choices, 1))
    head = edition.predict.format(id=one.id)
    return f'!!! question "{head}"\n\n{indented(joined([one.question, choices]))}'


def cells(root: Path, name: str, edition: Edition) -> list[dict[str, Any]]:
    """The cells of a notebook."""
    file = root / edition.notebooks / f"{name}.ipynb"
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["cells"]
    return found


def source(cell: dict[str, Any]) -> str:
    """The text of a cell, which the format keeps whole or in lines."""
    text = cell["source"]
    return text if isinstance(text, str) else "".join(text)


def fenced(language: str, text: str) -> str:
    """A block of code; its fence is longer than any in it."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`{3,}", text))])
    return f"{fence}{language}\n{text.strip()}\n{fence}"


def indented(text: str) -> str:
    """A text as the inside of a box."""
    return "\n".join(f"    {line}" if line else "" for line in text.splitlines())


def tabled(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """A table of Markdown."""
    lines = [heads, ("---",) * len(heads), *rows]
    whole = ([cell.replace("|", "&#124;") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in whole)


def joined(parts: list[str]) -> str:
    """Parts with an empty line between them, as Markdown wants it."""
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"
