"""The pages of the site as Markdown, made from the notebooks and `lab.yaml`; nothing is a copy.

Everything that a page says beside them stands in `ENGLISH` and `CHINESE`: an edition in another
language is another `Edition`, with notebooks and texts of its own.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubelab import labs, language, translation
from kubelab.labs import Lab, Prediction, Task

DIAGRAM = re.compile(r"```mermaid\n(.*?)```", re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CALL = re.compile(r'^(check|predict)\("(\d\d\.p?\d)"\)', re.MULTILINE)
LINK = re.compile(r"\[([^\]]+)\]\(([^):#]+\.md)(#[^)]+)?\)")
# What the start page says of itself, which only who sits before it can follow.
HERE_ONLY = ("map-text", "map-meaning")
MAP = "map"

Choice = dict[str, str]


@dataclass(frozen=True)
class Edition:
    """The course in one language: its folder in the site, its documents, and the site's words."""

    language: str
    folder: str
    labs: str
    documents: tuple[tuple[str, tuple[str, ...]], ...]
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
    language=language.ENGLISH,
    folder="",
    labs="The labs",
    documents=(
        ("For teachers", ("tasks.md", "commands.md", "reasons.md")),
        ("For authors", ("authors.md", "site.md")),
    ),
    begin=(
        "This site is the text of the course, to read without a cluster.\n"
        "To do the labs, type `./lab up` in a copy of its repository: it makes a cluster of three "
        "nodes on your own machine, and opens the notebooks."
    ),
    heads=("lab", "you learn", "minutes", "points"),
    task="Task {id}, {points} points",
    why="Why it matters.",
    look="Look with.",
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

CHINESE = Edition(
    language=language.CHINESE,
    folder="zh/",
    labs="实验",
    documents=(("给教师", ("tasks.md", "reasons.md")),),
    begin=(
        "这个网站是课程的文字，没有集群也能阅读。"
        "要做实验，就在课程仓库的副本里输入 `./lab up --lang zh`："
        "它会在你自己的机器上建立一个三节点的集群，并打开笔记本。"
    ),
    heads=("实验", "你会学到", "分钟", "分值"),
    task="任务 {id}，{points} 分",
    why="为什么重要：",
    look="查看：",
    predict="{id}：先预测",
    diagram="图：{title}",
    as_text="文字版",
    tasks_title="任务与分值",
    tasks_text=(
        "每个任务都由集群的实际表现来检查，并用一句话说明怎样才算完成。"
        "任务通过一次就算通过，提示不扣分。"
        "[一条命令（英文）](../commands.md)就能给整个班评分，一个名字空间接着一个；"
        "[检查为什么不通过](reasons.md)列出了全部原因。"
    ),
    tasks_heads=("任务", "完成的标准", "分值", "为什么重要"),
)

EDITIONS = {one.language: one for one in (ENGLISH, CHINESE)}


@dataclass(frozen=True)
class Page:
    """One page: its place below the site's folder, its text, and the diagrams that it shows."""

    place: str
    text: str
    diagrams: dict[str, str]


def every(root: Path, edition: Edition = ENGLISH) -> Iterator[Page]:
    """All pages that are made; `docs/` holds the others."""
    course = course_in(root, edition)
    yield start(root, course, edition)
    yield tasks(course, edition)
    for lab in course:
        yield of_lab(root, lab, edition)


def navigation(root: Path, edition: Edition = ENGLISH) -> list[dict[str, Any]]:
    """The navigation: every lab of the course, then the documents."""
    made = [{f"{lab.number} {lab.title}": place(lab)} for lab in course_in(root, edition)]
    documents = [{title: [*several]} for title, several in edition.documents]
    return [{"kubelab": "index.md"}, {edition.labs: made}, *documents]


def course_in(root: Path, edition: Edition) -> list[Lab]:
    """Every lab, with its text in the language of the edition."""
    return [translation.told(lab, edition.language) for lab in labs.every(root)]


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
    inner = [one.sentence, f"**{edition.why}** {' '.join(one.why.split())}"]
    inner.append(f"**{edition.look}** `{look}`")
    return f'!!! success "{head}"\n\n{indented(joined(inner))}'


def prediction(one: Prediction, edition: Edition) -> str:
    """A question that is asked before the doing, with its choices and without its answer."""
    choices = "\n".join(f"{number}. {choice}" for number, choice in enumerate(one.choices, 1))
    head = edition.predict.format(id=one.id)
    return f'!!! question "{head}"\n\n{indented(joined([one.question, choices]))}'


def cells(root: Path, name: str, edition: Edition) -> list[dict[str, Any]]:
    """The cells of a notebook."""
    file = language.notebooks(root, edition.language) / f"{name}.ipynb"
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["cells"]
    return found


# What holds an edition and the others together


def switch(edition: Edition, page: str, others: Mapping[str, Collection[str]]) -> list[Choice]:
    """The choices of the language switch: the same page, or the start page where there is none.

    `others` are the pages of each language. A link leads from the edition's own folder.
    """
    up = "../" * edition.folder.count("/")
    return [
        {
            "name": language.LANGUAGES[code],
            "lang": code,
            "link": ("" if one is edition else up + one.folder)
            + address(page if page in others[code] else "index.md"),
        }
        for code, one in EDITIONS.items()
    ]


def address(page: str) -> str:
    """The file that a page becomes, which the site's own links name."""
    return page.removesuffix(".md") + ".html"


def outward(text: str, page: str, documents: Collection[str]) -> tuple[str, list[str]]:
    """A page's text with its links to English documents, and those links that lead nowhere.

    MkDocs knows the pages of one edition alone: what leads out of it has to be HTML.
    """
    lost = []

    def linked(found: re.Match[str]) -> str:
        words, target, anchor = found.groups(default="")
        place = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
        if not place.startswith("../"):
            return found[0]
        if place.removeprefix("../") not in documents:
            lost.append(target)
        return f'<a href="{address(target)}{anchor}" hreflang="en">{words}</a>'

    return LINK.sub(linked, text), lost


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
