"""Pictures of the notebooks in JupyterLab, light and dark, for a person to look at.

    apt-get install -y chromium
    python tests/look/jupyterlab.py --out /tmp/pictures [--run] [02-pods.ipynb ...]

It works on copies in a folder of its own. With `--run` every cell is run first, in the lab of the
cluster that KUBELAB_CLUSTER names (the project's own: kubelab-test); without, none is needed.
Each drawing of a cell is saved apart, too; where words leave one, the exit code is 1.
A notebook may also be a path, as of a trial that is no part of the course.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from playwright.sync_api import Page, sync_playwright

from kubelab import jupyter
from kubelab.site import ROOT, Site, here

SCREEN = {"width": 1280, "height": 900}
RUN_SECONDS = 300
OUTSIDE = (
    "e => { const w = e.viewBox.baseVal.width, h = e.viewBox.baseVal.height;"
    " return [...e.querySelectorAll('text')].filter(t => { const b = t.getBBox();"
    " return b.x < 0 || b.y < 0 || b.x + b.width > w || b.y + b.height > h })"
    ".map(t => t.textContent) }"
)


@dataclass(frozen=True)
class Studio(Site):
    """A site whose notebooks and JupyterLab are its own, beside an existing cluster."""

    folder: Path = Path()

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def work(self) -> Path:
        return self.folder / "work"


def main() -> None:
    """Take the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--run", action="store_true", help="run every cell first")
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    parser.add_argument("notebooks", nargs="*")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    names = asked.notebooks or sorted(p.name for p in (ROOT / "notebooks").glob("*.ipynb"))
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Studio(name=here().name, root=ROOT, folder=Path(folder))
        link(site)
        site.work.mkdir()
        for number, name in enumerate(names):
            if "/" in name:
                names[number] = Path(shutil.copy(name, site.work)).name
        info = jupyter.start(site)
        browser = playwright.chromium.launch(executable_path=asked.chromium, args=["--no-sandbox"])
        try:
            for name in names:
                for scheme in ("light", "dark"):
                    page = browser.new_page(viewport=SCREEN, color_scheme=scheme)
                    wrong += take(page, info, name, scheme, asked)
                    page.close()
        finally:
            browser.close()
            jupyter.stop(site)
    sys.exit("\n".join(wrong) if wrong else 0)


def link(site: Studio) -> None:
    """Let the studio's kernel find the kubeconfigs of the cluster that is there."""
    site.state.mkdir()
    for name in ("kubeconfig", "labs", "clusters"):
        (site.state / name).symlink_to(here().state / name)


def take(page: Page, info: jupyter.JupyterInfo, name: str, scheme: str, asked: Any) -> list[str]:
    """Open one notebook, run it in the light theme if asked, and save one screen after another.

    Gives back what is wrong with its drawings.
    """
    page.goto(f"http://127.0.0.1:{info.port}/lab/tree/{name}?token={info.token}&reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    page.wait_for_selector(".jp-MarkdownOutput h1", timeout=30_000)
    if asked.run and scheme == "light":
        run_all(page)
    page.wait_for_timeout(3000)
    outer = page.locator(".jp-WindowedPanel-outer").first
    height = outer.evaluate("e => e.scrollHeight")
    step = outer.evaluate("e => e.clientHeight") - 40
    wrong: list[str] = []
    known: set[str] = set()
    for number, top in enumerate(range(0, height, step), 1):
        outer.evaluate("(e, top) => { e.scrollTop = top }", top)
        page.wait_for_timeout(700)
        page.screenshot(path=asked.out / f"{Path(name).stem}-{scheme}-{number:02}.png")
        wrong += drawings(page, f"{Path(name).stem}-{scheme}", known, asked.out)
    if asked.run and scheme == "light":
        page.keyboard.press("Control+s")
        page.wait_for_timeout(1500)
    return wrong


def drawings(page: Page, stem: str, known: set[str], out: Path) -> list[str]:
    """Save every drawing that is new on this screen; what leaves a drawing, one line each."""
    wrong = []
    for one in page.locator("svg.kl-pic").all():
        key = one.evaluate("e => e.querySelector('title').textContent + e.innerHTML.length")
        if key in known:
            continue
        known.add(key)
        one.screenshot(path=out / f"{stem}-drawing-{len(known):02}.png")
        if one.evaluate("e => e.getBoundingClientRect().width") > 720.5:
            wrong.append(f"{stem}: drawing {len(known)} is wider than 720 px")
        for words in one.evaluate(OUTSIDE):
            wrong.append(f"{stem}: drawing {len(known)}: {words!r} leaves it")
    return wrong


def run_all(page: Page) -> None:
    """Run every cell by the menu, and wait until the last has run or one has failed."""
    page.get_by_text("kubelab | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.wait_for_function(
        "() => { const all = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]"
        ".map(e => e.textContent);"
        " return all.some(t => /\\d/.test(t)) && !all.some(t => t.includes('*')) }",
        timeout=RUN_SECONDS * 1000,
    )


if __name__ == "__main__":
    main()
