"""What is wrong with a notebook in JupyterLab: what leaves its place, and what axe finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# Where our text and our output are; around them is JupyterLab's.
OURS = ".jp-MarkdownOutput, .jp-OutputArea-output"
# Inside them, and still JupyterLab's: the sign behind a heading, and what Mermaid draws.
THEIRS = ".jp-InternalAnchorLink, .jp-RenderedMermaid"
SEVERE = ("serious", "critical")

# Every element of ours that reaches beyond its cell, or holds more than it shows.
WIDE = """([ours]) => {
  const found = new Set();
  for (const cell of document.querySelectorAll('.jp-Notebook .jp-Cell')) {
    const right = cell.getBoundingClientRect().right;
    for (const part of cell.querySelectorAll(ours)) {
      for (const e of [part, ...part.querySelectorAll('*')]) {
        const box = e.getBoundingClientRect(), style = getComputedStyle(e);
        if (!box.width || e.closest('svg') && e.tagName !== 'svg') continue;
        const cut = style.overflowX !== 'visible' && e.scrollWidth > e.clientWidth + 1;
        if (box.right > right + 1 || cut && style.clip === 'auto')
          found.add(`${e.tagName.toLowerCase()} in cell ${cell.dataset.windowedListIndex ?? '?'}, `
            + `${Math.round(Math.max(box.width, e.scrollWidth))} px: `
            + (e.textContent || '').trim().slice(0, 60));
      }
    }
  }
  return [...found];
}"""
# The letters of a drawing that lie outside of it.
OUTSIDE = """e => {
  const w = e.viewBox.baseVal.width, h = e.viewBox.baseVal.height;
  return [...e.querySelectorAll('text')].filter(t => {
    const b = t.getBBox();
    return b.x < 0 || b.y < 0 || b.x + b.width > w || b.y + b.height > h;
  }).map(t => t.textContent);
}"""
IS_OURS = """([selectors, ours, theirs]) => selectors.map(one => {
  const e = document.querySelector(one);
  return !!e && !!e.closest(ours) && !e.closest(theirs);
})"""


@dataclass(frozen=True)
class Fault:
    """What axe finds at one element; `ours` says whether our text or output causes it."""

    rule: str
    impact: str
    help: str
    html: str
    ours: bool

    def __str__(self) -> str:
        return f"{self.impact} {self.rule}: {self.help}: {self.html[:160]}"


def wide(page: Page) -> list[str]:
    """What is wider than the place that it has."""
    found: list[str] = page.evaluate(WIDE, [OURS])
    return [f"too wide: {one}" for one in found]


def accessibility(page: Page) -> list[Fault]:
    """The serious and critical faults of the whole page, each element once."""
    # JupyterLab's body has no height, and axe would take all text for hidden below its edge.
    page.add_style_tag(content="body { height: 100vh }")
    violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return list(faults(page, (one for one in violations if one["impact"] in SEVERE)))


def faults(page: Page, violations: Iterable[dict[str, Any]]) -> Iterator[Fault]:
    """Axe's answer, an element at a time."""
    for one in violations:
        nodes = one["nodes"]
        # In a frame or a shadow tree a target is a list of its own; none of ours is in one.
        selectors = [node["target"][0] if len(node["target"]) == 1 else "x" for node in nodes]
        simple = [each if isinstance(each, str) else "x" for each in selectors]
        ours = page.evaluate(IS_OURS, [simple, OURS, THEIRS])
        for node, own in zip(nodes, ours, strict=True):
            html = " ".join(node["html"].split())
            yield Fault(one["id"], one["impact"], one["help"], html, own)
