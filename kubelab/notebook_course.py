"""The map of the course as HTML: the content of its text, with links to the notebooks."""

from __future__ import annotations

import html
from collections.abc import Sequence
from urllib.parse import quote

from kubelab import course
from kubelab import notebook_show as view
from kubelab.jupyter_files import beside_the_map
from kubelab.site import here
from kubelab.standing import Facts
from kubelab.words import said, template

CELL = "text-align:left;vertical-align:top;padding:4px 16px 4px 0"
HEADS = ("lab", "you learn", "minutes", "state", "points")


def markup(facts: Facts, when: str) -> str:
    """The HTML twin of `text`."""
    words, lab = course.onward(facts)
    return view.box(
        view.line(said(course.summary(facts["labs"])), strong=True),
        table(facts["labs"]),
        *([view.line(said(words))] if lab is None else [next_line(words, lab)]),
        view.line(when),
    )


def text(facts: Facts, when: str) -> str:
    """The same in words."""
    words, lab = course.onward(facts)
    told = [*map(said, course.lines(facts["labs"])), "", view.paragraph(said(words))]
    return "\n".join([*told, *([said(f"Next: {lab['notebook']}")] if lab else []), when])


def table(labs: Sequence[Facts]) -> str:
    """A row a lab, and the tasks of one that was begun folded below its title."""
    heads = "".join(f'<th scope="col" style="{CELL}">{said(head)}</th>' for head in HEADS)
    body = "".join(map(row, labs))
    style = "margin:4px 0;width:100%;table-layout:auto;overflow-wrap:anywhere"
    return f'<table style="{style}"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


def row(lab: Facts) -> str:
    """One lab."""
    cells = [html.escape(said(lab["about"])), str(lab["minutes"]), said(course.state(lab))]
    cells.append(template("{points} of {of}").format(**lab))
    first = f'<th scope="row" style="{CELL}">{link(lab)}{tasks(lab)}</th>'
    rest = "".join(f'<td style="{CELL}">{cell}</td>' for cell in cells)
    return f"<tr>{first}{rest}</tr>"


def link(lab: Facts) -> str:
    """The lab's title as a link: JupyterLab opens the learner's copy beside this notebook."""
    title = html.escape(f"{lab['lab']} {said(lab['title'])}")
    return f'<a href="{quote(beside_the_map(here(), lab["notebook"]))}">{title}</a>'


def tasks(lab: Facts) -> str:
    """The tasks of a lab that was begun."""
    if not course.begun(lab):
        return ""
    inner = "".join(f"<li>{view.line(_task(one))}</li>" for one in lab["tasks"])
    style = "margin:4px 0;padding-left:0;list-style:none;font-weight:normal"
    return f'<details><summary>{said("tasks")}</summary><ul style="{style}">{inner}</ul></details>'


def _task(one: Facts) -> str:
    how = [course.task_state(one), course.points(one), *course.notes(one)]
    return f"{one['task']}  {said(one['title'])} ({template(', ').join(map(said, how))})"


def next_line(words: str, lab: Facts) -> str:
    """Where to go on, with the link to it."""
    return (
        view.line(said(words))
        + f'<p style="margin:4px 0"><b>{template("Next: {lab}").format(lab=link(lab))}</b></p>'
    )
