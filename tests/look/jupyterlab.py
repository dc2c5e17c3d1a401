"""Pictures of the notebooks in JupyterLab, light and dark, for a person to look at.

    apt-get install -y chromium
    python tests/look/jupyterlab.py --out /tmp/pictures [--run] [02-pods.ipynb ...]

It works on copies in a folder of its own. With `--run` every cell is run first, in the lab of the
cluster that KUBELAB_CLUSTER names (the project's own: kubelab-test); without, none is needed.
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
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Studio(name=here().name, root=ROOT, folder=Path(folder))
        info = jupyter.start(site)
        browser = playwright.chromium.launch(executable_path=asked.chromium, args=["--no-sandbox"])
        try:
            for name in names:
                for scheme in ("light", "dark"):
                    page = browser.new_page(viewport=SCREEN, color_scheme=scheme)
                    take(page, info, name, scheme, asked)
                    page.close()
        finally:
            browser.close()
            jupyter.stop(site)


def take(page: Page, info: jupyter.JupyterInfo, name: str, scheme: str, asked: Any) -> None:
    """Open one notebook, run it in the light theme if asked, and save one screen after another."""
    page.goto(f"http://127.0.0.1:{info.port}/lab/tree/{name}?token={info.token}&reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    page.wait_for_selector(".jp-MarkdownOutput h1", timeout=30_000)
    if asked.run and scheme == "light":
        run_all(page)
    page.wait_for_timeout(3000)
    outer = page.locator(".jp-WindowedPanel-outer").first
    height = outer.evaluate("e => e.scrollHeight")
    step = outer.evaluate("e => e.clientHeight") - 40
    for number, top in enumerate(range(0, height, step), 1):
        outer.evaluate("(e, top) => { e.scrollTop = top }", top)
        page.wait_for_timeout(700)
        page.screenshot(path=asked.out / f"{Path(name).stem}-{scheme}-{number:02}.png")
    if asked.run and scheme == "light":
        page.keyboard.press("Control+s")
        page.wait_for_timeout(1500)


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
