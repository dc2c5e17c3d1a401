"""An SVG picture of 720 pixels that reads in light and dark, and never by colour alone."""

from __future__ import annotations

import hashlib
import html
from dataclasses import dataclass, field

WIDTH = 720
# Wider than most letters of a 12 pixel sans-serif: a text that is let in fits every font.
LETTER = 7.3

# JupyterLab's variables follow its theme; elsewhere the reader's own text colour serves.
# Every rule is bound to the picture's class: a style in a page is valid for the whole page.
STYLE = (
    ".kl-pic{color:var(--jp-content-font-color1,currentColor);max-width:100%;height:auto}"
    ".kl-pic text{font:12px var(--jp-ui-font-family,system-ui),sans-serif;fill:currentColor}"
    ".kl-pic text.small{font-size:10px}.kl-pic text.in{fill:#fff}"
    ".kl-pic .quiet{opacity:.75}.kl-pic .strong{font-weight:600}"
    ".kl-pic .axis{stroke:currentColor;opacity:.5;fill:none}"
    ".kl-pic .link{stroke:currentColor;opacity:.7;fill:none}"
    ".kl-pic .way{stroke:currentColor;opacity:.3;fill:none}"
    ".kl-pic .frame{fill:none;stroke:currentColor;opacity:.8}"
    ".kl-pic .empty{fill:none;stroke:#c2570c;stroke-width:1.5;stroke-dasharray:5 3}"
    ".kl-pic .wait{fill:none;stroke:currentColor;opacity:.6;stroke-dasharray:3 3}"
    ".kl-pic .run{fill:#2f6db3}.kl-pic .yes{fill:#2a7d4f}"
    ".kl-pic .v0{fill:#2f6db3}.kl-pic .v1{fill:#2a7d4f}.kl-pic .v2{fill:#8a5a14}"
    ".kl-pic .v3{fill:#7b4fa8}"
    ".kl-pic .edge0{stroke:#2f6db3}.kl-pic .edge1{stroke:#2a7d4f}.kl-pic .edge2{stroke:#8a5a14}"
    ".kl-pic .edge3{stroke:#7b4fa8}.kl-pic .edge{stroke:currentColor}"
    ".kl-pic .bad{fill:#c2570c}.kl-pic .cross{stroke:#c2570c;stroke-width:2;fill:none}"
    ".kl-pic .mark{fill:#c2570c}.kl-pic .hatch{stroke:currentColor;opacity:.35}"
    ".kl-pic .grain{stroke:#fff;opacity:.75}.kl-pic .speck{fill:#fff;opacity:.85}"
)
VERSIONS = 4  # looks; the fifth version looks like the first again, and its words still differ


@dataclass
class Drawing:
    """What was drawn so far; `svg` makes it whole."""

    title: str
    told: str
    parts: list[str] = field(default_factory=list)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        look: str = "",
        *,
        anchor: str = "start",
        room: float | None = None,
    ) -> None:
        """A line of text; with `room` in pixels what does not fit is cut, and said in a title."""
        shown = words if room is None else fitted(words, room)
        title = f"<title>{html.escape(words)}</title>" if shown != words else ""
        self.parts.append(
            f'<text class="{look}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
            f"{html.escape(shown)}{title}</text>"
        )

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        look: str,
        words: str = "",
        *,
        pattern: str = "",
    ) -> None:
        """A rectangle; `words` is what a pointer over it says, `pattern` lies over its look."""
        shape = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height:.1f}" rx="3"'
        over = f'<rect {shape} fill="url(#{pattern}-ID)"/>' if pattern else ""
        title = f"<title>{html.escape(words)}</title>" if words else ""
        self.parts.append(f'<g><rect class="{look}" {shape}/>{over}{title}</g>')

    def path(self, shape: str, look: str, words: str = "") -> None:
        """A path, with what a pointer over it says."""
        title = f"<title>{html.escape(words)}</title>" if words else ""
        self.parts.append(f'<path class="{look}" d="{shape}">{title}</path>')

    def axis(self, left: float, right: float, y: float, first: str, last: str) -> None:
        """A line of time with its ends in words."""
        self.path(f"M{left:.1f} {y:.1f} H{right:.1f}", "axis")
        self.text(left, y + 16, first, "quiet")
        self.text(right, y + 16, last, "quiet", anchor="end")

    def svg(self, height: float) -> str:
        """The whole picture. Ids are its own: a page may hold many, and ids are the page's."""
        body = "".join(self.parts)
        number = hashlib.sha256((self.title + body).encode()).hexdigest()[:10]
        whole = (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" class="kl-pic" '
            f'viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}">'
            f"<title>{html.escape(self.title)}</title><desc>{html.escape(self.told)}</desc>"
            f"<style>{STYLE}</style><defs>{PATTERNS}</defs>{body}</svg>"
        )
        return whole.replace("-ID", f"-{number}")


def _tile(name: str, size: int, inner: str) -> str:
    return (
        f'<pattern id="{name}-ID" width="{size}" height="{size}" '
        f'patternUnits="userSpaceOnUse">{inner}</pattern>'
    )


PATTERNS = (
    _tile("hatch", 6, '<path class="hatch" d="M-1 7 L7 -1 M-1 1 L1 -1 M5 7 L7 5"/>')
    + _tile("grain", 5, '<path class="grain" d="M2.5 0 V5"/>')
    + _tile("speck", 5, '<circle class="speck" cx="2.5" cy="2.5" r="1"/>')
    + _tile("weave", 6, '<path class="grain" d="M0 3 H6"/>')
)
# The looks of versions, told apart without colour, too.
GRAIN = ("", "grain", "speck", "weave")


def fits(words: str, room: float) -> bool:
    """Whether the words have room in so many pixels."""
    return len(words) * LETTER <= room


def fitted(words: str, room: float) -> str:
    """The words, cut to the room: the end of a name tells more than its middle."""
    if fits(words, room):
        return words
    most = max(2, int(room / LETTER))
    head = (most - 1) // 3
    return f"{words[:head]}…{words[len(words) - (most - 1 - head) :]}"


def clock(seconds: float) -> str:
    """Seconds as a person reads them: `12 s`, `2 min 5 s`."""
    whole = round(seconds)
    if abs(whole) < 120:
        return f"{whole} s"
    minutes, rest = divmod(abs(whole), 60)
    sign = "-" if whole < 0 else ""
    return f"{sign}{minutes} min {rest} s" if rest else f"{sign}{minutes} min"


def counted(number: int, thing: str) -> str:
    """`1 Pod`, `3 Pods`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
