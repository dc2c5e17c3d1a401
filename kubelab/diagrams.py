"""The diagrams of the site: Mermaid's source drawn as SVG, once, when the site is built."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

# Chinese signs and those of full width: each is as wide as the font is high, in every font.
WIDE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uff60]")
DASH = "\u2014"
# What mermaidx asks of a font with a text as the first argument.
MEASURES = ("measure", "glyph_boxes", "foreign_object_metrics")


@cache
def drawn(source: str) -> str:
    """A diagram as SVG. Each takes a second, and `./lab docs --serve` builds again and again."""
    import mermaidx

    prepare()
    picture: str = mermaidx.render(source).svg()
    return picture


@cache
def prepare() -> None:
    """Let mermaidx give Chinese words room: the font that it measures with has none of their signs.

    Its boxes would be too narrow, and the browser would cut the words off.
    """
    from mermaidx.font_metrics import Font

    for name in MEASURES:
        setattr(Font, name, widened(getattr(Font, name)))


def widened(measure: Callable[..., Any]) -> Callable[..., Any]:
    """The same measurement with a dash, which the font has, for each sign as wide as it."""

    def measured(font: Any, text: str, size: float) -> Any:
        return measure(font, WIDE.sub(DASH, text), size)

    return measured
