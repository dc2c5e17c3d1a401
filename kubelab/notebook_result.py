"""A result record as HTML: the content of its text, in a frame whose word and colour agree."""

from __future__ import annotations

from kubelab import notebook_show as view
from kubelab import report
from kubelab.verdict import Verdict
from kubelab.words import said

# Colour never stands alone: the verdict's word is in the first line.
EDGE = {
    Verdict.PASS: "#2e8b57 solid",
    Verdict.FAIL: "#c2570c double",
    Verdict.NOT_YET: "#4f86c6 dashed",
    Verdict.ENV: "#888 dotted",
}


def markup(one: report.Record) -> str:
    """The HTML twin of `report.text`."""
    edge = EDGE[Verdict(one["verdict"])]
    first, *rest = report.text(one).split("\n", 1)
    left, _, points = first.partition("  ")[2].partition("   ")
    head = f"{one['check']}  {left.strip()}"
    parts = [view.line(f"{head}, {points.strip()}" if points else head, strong=True)]
    if rest and one["reason"] != "not-started":
        parts.append(view.line(said(one["title"])))
        parts.append(_details(one))
    return view.box(*parts, edge=edge)


def _details(one: report.Record) -> str:
    if one["verdict"] == Verdict.PASS:
        return ""
    parts = []
    if one["wanted"] is None:
        parts.append(view.rows([("because", said(one["found"] or ""))]))
    else:
        wanted, found = said(one["wanted"]), said(one["found"] or "")
        parts.append(view.rows([("wanted", wanted), ("found", found)]))
    parts += [view.preformatted("\n".join(lines)) for lines in (list(report.tree(one)),) if lines]
    parts += [view.rows([("near", said(near))]) for near in one["near"]]
    if one["log"]:
        parts.append(view.preformatted("\n".join(one["log"])))
    if one["verdict"] != Verdict.ENV:
        parts.append(view.rows([("why", said(one["why"]))]))
    if one["look"]:
        parts.append(view.rows([("look", f"`{one['look']}`")]))
    return "".join(parts)
