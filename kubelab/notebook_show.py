"""Text with an HTML twin: the same content in a terminal, a screen reader and JupyterLab."""

from __future__ import annotations

import html
import sys
from collections.abc import Sequence

from kubelab import columns
from kubelab.words import said

WIDTH = 80
# JupyterLab's own colours, so that light and dark themes both read well.
BOX = "padding:2px 12px;margin:4px 0;max-width:760px;color:var(--jp-content-font-color1,inherit)"
CODE = "font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px)"


def show(text: str, markup: str = "") -> None:
    """Print `text`, or in a notebook display it with `markup` as its HTML twin."""
    if not _in_notebook():
        print(text)
        return
    from IPython.display import display

    display(_bundle(text, markup), raw=True)


class Place:
    """A place in a notebook's output: says what is being done until the first result is there."""

    def __init__(self, meanwhile: str) -> None:
        self._handle = None
        if _in_notebook():
            from IPython.display import DisplayHandle

            self._handle = DisplayHandle()
            self._handle.display(_bundle(meanwhile, ""), raw=True)

    def show(self, text: str, markup: str = "") -> None:
        """Show a result: the first one in place of what was said meanwhile."""
        handle, self._handle = self._handle, None
        if handle is None:
            show(text, markup)
        else:
            handle.update(_bundle(text, markup), raw=True)


class Living:
    """A place that is drawn again and again, also from a thread and from a later cell on.

    A terminal gets the lines that are new, and the whole text at the end.
    """

    def __init__(self, meanwhile: str) -> None:
        self.in_notebook = _in_notebook()
        self._handle = None
        self._told: set[str] = set()
        if self.in_notebook:
            from IPython.display import DisplayHandle

            self._handle = DisplayHandle()
            self._handle.display(_bundle(meanwhile, ""), raw=True)
        else:
            print(meanwhile)

    def show(self, text: str, markup: str = "", *, last: bool = False) -> None:
        """Draw anew."""
        if self._handle is not None:
            self._handle.update(_bundle(text, markup), raw=True)
            return
        lines = text.splitlines()
        new = lines if last else [line for line in lines if line not in self._told]
        self._told.update(new)
        if new:
            print("\n".join(new), flush=True)


def _bundle(text: str, markup: str) -> dict[str, str]:
    return {"text/plain": text, "text/html": markup or preformatted(text)}


def preformatted(text: str) -> str:
    """HTML that keeps the text's lines and columns."""
    return f'<pre style="{CODE};margin:4px 0">{html.escape(text)}</pre>'


def folded(summary: str, text: str) -> str:
    """HTML that shows the text when it is asked for."""
    words = html.escape(said(summary))
    return f"<details><summary>{words}</summary>{preformatted(text)}</details>"


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")


def paragraph(text: str, indent: str = "") -> str:
    """The text in lines of at most 80 columns."""
    return columns.filled(text, WIDTH, indent, indent)


def labelled(label: str, text: str) -> str:
    """`why       A Deployment keeps …`: a word in front, the text beside it."""
    return columns.filled(text, WIDTH, "  " + columns.padded(said(label), 11), " " * 13)


def numbered(choices: Sequence[str]) -> str:
    """The choices as a numbered list of text."""
    return "\n".join(
        columns.filled(choice, WIDTH, f"  {n}  ", " " * 5) for n, choice in enumerate(choices, 1)
    )


def box(*parts: str, edge: str = "var(--jp-border-color1,#888) solid") -> str:
    """A frame around HTML parts; `edge` is the colour and the kind of its left side."""
    return f'<div style="border-left:4px {edge};{BOX}">{"".join(parts)}</div>'


def line(text: str, *, strong: bool = False) -> str:
    """A line of HTML from plain text; words between backquotes become code."""
    pieces = html.escape(text).split("`")
    for odd in range(1, len(pieces), 2):
        pieces[odd] = f"<code>{pieces[odd]}</code>"
    whole = "".join(pieces)
    return f'<p style="margin:4px 0">{f"<b>{whole}</b>" if strong else whole}</p>'


def items(choices: Sequence[str]) -> str:
    """A numbered list of HTML from plain texts."""
    inner = "".join(f"<li>{line(choice)}</li>" for choice in choices)
    return f'<ol style="margin:4px 0 4px 20px">{inner}</ol>'


def rows(pairs: Sequence[tuple[str, str]]) -> str:
    """A table of HTML with a word in front of each text."""
    cell = "text-align:left;vertical-align:top;padding:2px 16px 2px 0"
    inner = "".join(
        f'<tr><th scope="row" style="{cell};min-width:70px">{line(said(label))}</th>'
        f'<td style="{cell};overflow-wrap:anywhere">{line(text)}</td></tr>'
        for label, text in pairs
    )
    return f'<table style="margin:4px 0">{inner}</table>'
